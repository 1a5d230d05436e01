"""What `fab doctor` looks at, from the settings to the servers, each with what it depends on before it.

Changes nothing but the cache of releases. A local cloud that does not run is not started.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tasks import local_cloud, wiring, wiring_goals
from tasks.errors import SettingsError
from tasks.findings import Finding, failed, fine, gathered, looked, not_well, wrong
from tasks.settings import Settings

_GATEWAY_SECONDS = 15.0


def examine(environment: str | None = None) -> list[Finding]:
    """Look at everything that a deploy will need."""
    from tasks.settings_file import find_file, load

    try:
        settings = load(environment=environment)
    except SettingsError as error:
        return [failed("settings", error, "correct deploy.toml")]
    path = find_file()
    where = str(path) if path else "no deploy.toml: the sample app"
    given = [fine("settings", f"{where}; {settings.app} in {settings.environment}"), *_here(settings)]
    if any(one.exit_code == SettingsError.exit_code for one in not_well(given)):
        return [*given, wrong("cloud", "not asked, since settings are wrong", "mend what is not ok above")]
    return [*given, *_there(settings)]


def _here(settings: Settings) -> Iterator[Finding]:
    """Look at what is on this machine."""
    yield looked("secrets", partial(_secrets, settings), "export them, or take them out of `secrets`")
    yield looked("bootstrap scripts", partial(_scripts, settings), "set `bootstrap_scripts`")
    yield looked("login key", partial(_login_key, settings), "set `server.key_file`")
    yield looked("release", partial(_release, settings), "set `source.path` or `source.requirements`")


def _there(settings: Settings) -> Iterator[Finding]:
    """Look at the cloud, and the way to it."""
    if settings.server.gateway:
        yield looked("gateway", partial(_gateway, settings), "set `server.gateway`")
    if settings.is_local:
        ports = (settings.server.ssh_port, *(listener.port for listener in settings.listeners))
        local = gathered("local cloud", lambda: local_cloud.prerequisites(ports))
        yield from local
        if not_well(local):
            return
        if local_cloud.running_at() is None:
            yield fine("cloud", "the local cloud does not run; `fab deploy` starts it")
            return
    opened = looked("credentials and region", partial(_log_in, settings), "set `cloud`, or correct clouds.yaml")
    yield opened
    if opened.ok:
        yield from gathered("cloud", partial(_cloud, settings))


def _secrets(settings: Settings) -> str:
    return ", ".join(settings.secret_values()) or "none are named"


def _scripts(settings: Settings) -> str:
    from tasks.hosts import injected, sealing
    from tasks.hosts.push import script_names

    scripts = settings.bootstrap_scripts
    names = script_names(scripts)
    if settings.seal:
        sealing.require(scripts)
    match injected.Bootstrap(settings.bootstrap):
        case injected.Bootstrap.CLOUD_INIT:
            injected.user_data(injected.run_at_first_boot(scripts))
        case injected.Bootstrap.CRON:
            injected.personality(scripts)
        case injected.Bootstrap.PUSH:
            pass
    return f"{len(names)} in {scripts}"


def _login_key(settings: Settings) -> str:
    from tasks.hosts.login_key import login_key
    from tasks.wiring_profiles import ssh_access

    if not settings.server.key_file:
        return "one that is made for this app"
    key = login_key(ssh_access(settings, wiring.state_folder()))
    return f"{settings.server.key_file} ({key.get_name() if key else 'of the SSH agent'})"


def _release(settings: Settings) -> str:
    built = wiring_goals.build_release(settings, None)
    return f"{built.id} ({built.label}){f'; {built.note}' if built.note else ''}"


def _gateway(settings: Settings) -> str:
    from tasks.hosts.gateway import Gateway
    from tasks.hosts.login_key import login_key
    from tasks.wiring_profiles import ssh_access

    access = ssh_access(settings, wiring.state_folder())
    if access.gateway is None:
        raise SettingsError(f"server.gateway: {settings.server.gateway} names no host")
    gateway = Gateway(access.gateway, lambda: login_key(access))
    try:
        gateway.log_in(_GATEWAY_SECONDS)
    finally:
        gateway.close()
    return f"{access.gateway} lets us in"


def _log_in(settings: Settings) -> str:
    from tasks.cloud.identity import open_cloud

    name = None if settings.cloud == "env" else settings.cloud
    running = local_cloud.running_at() if settings.is_local else None
    access = open_cloud(name, clouds_yaml=running)
    return f"logged in to {access.cloud}, region {access.region}"


def _cloud(settings: Settings) -> list[Finding]:
    from tasks.rollout.checkup import checkup

    return wiring.ask(settings, partial(checkup, wiring_goals.any_goal(settings)), [])
