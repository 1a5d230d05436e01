"""Settings as the values that the clouds and hosts are made with. Imported only when a site is opened."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tasks.cloud.compute import NovaCompute
from tasks.cloud.profiles import (
    Algorithm,
    Automation,
    BalancerApi,
    BalancerProfile,
    HealthMonitor,
    Persistence,
    Probe,
    ServerProfile,
)
from tasks.errors import SettingsError
from tasks.hosts.access import GatewayAddress, Passphrase, Secret, SshAccess
from tasks.hosts.app import AppCommands, Check, Deadlines
from tasks.hosts.console_trust import ConsoleKeys
from tasks.hosts.first_use import FirstUse
from tasks.hosts.hooks import CommandHooks
from tasks.hosts.injected import personality, run_at_first_boot, user_data
from tasks.hosts.keys import deploy_key
from tasks.hosts.login_key import public_line
from tasks.hosts.throwaway import HOST_KEY, Injected, ThrowAway
from tasks.hosts.trust import Introduction
from tasks.hosts.watcher import CommandWatcher
from tasks.settings import MonitorSettings, ServerSettings, Settings
from tasks.waiting import Clock, Patience


def server_profile(settings: Settings, ssh: SshAccess) -> ServerProfile:
    """Give what servers are created from, with the public half of the key that we log in with.

    Each call makes another throw-away host key, where servers are to be trusted by one.
    """
    throw_away = ThrowAway.make() if settings.server.trust == "injected" else None
    return ServerProfile(
        app=settings.app,
        environment=settings.environment,
        image=settings.server.image,
        flavor=settings.server.flavor,
        networks=settings.server.networks,
        private_network=settings.server.private_network,
        microversion=settings.server.microversion,
        wait_for=tuple(Automation(name) for name in settings.server.wait_for),
        public_key=public_line(ssh),
        metadata=throw_away.metadata if throw_away else {},
        user_data=user_data({**_first_boot(settings), **(throw_away.cloud_config() if throw_away else {})}),
        files=personality(settings.bootstrap_scripts) if settings.bootstrap == "cron" else {},
    )


def _first_boot(settings: Settings) -> dict[str, object]:
    return run_at_first_boot(settings.bootstrap_scripts) if settings.bootstrap == "cloud-init" else {}


def introduction(settings: Settings, compute: NovaCompute, clock: Clock, warn: Callable[[str], None]) -> Introduction:
    """Give the way in which the host keys of new servers are found out."""
    match settings.server.trust:
        case "console":
            return ConsoleKeys(compute.console, clock)
        case "injected":
            return Injected(settings.server.user, lambda server, key: compute.note(server.id, HOST_KEY, key))
        case "first-use":
            return FirstUse(warn)


def ssh_access(settings: Settings, state: Path) -> SshAccess:
    """Give how servers are logged in to: with the user's key file, or one that is made for the app."""
    named = settings.server.key_file
    folder = state / "keys" / f"{settings.app}-{settings.environment}"
    return SshAccess(
        user=settings.server.user,
        port=settings.server.ssh_port,
        passphrase=Passphrase(lambda: _passphrase(settings.server)),
        gateway=_gateway(settings.server.gateway),
        key_file=Path(named).expanduser() if named else deploy_key(folder).path,
        patience=Patience(limit=settings.limits.ssh, longest=2.0),
    )


def _passphrase(server: ServerSettings) -> str:
    """Take the passphrase of the key file from the environment, or ask for it; it is written nowhere.

    :raises SettingsError: there is neither.
    """
    if server.passphrase_env:
        given = os.environ.get(server.passphrase_env)
        if given is None:
            raise SettingsError(f"server.passphrase_env: {server.passphrase_env} is not set in your environment")
        return given
    if not sys.stdin.isatty():
        raise SettingsError(
            f"server.key_file: {server.key_file} is encrypted, and there is no terminal to ask for its passphrase on",
            advice="Add it to your SSH agent, or name the variable with its passphrase in server.passphrase_env.",
        )
    return getpass.getpass(f"Passphrase of {server.key_file}: ")


def _gateway(named: str) -> GatewayAddress | None:
    user, _, at = named.partition("@")
    host, _, port = at.partition(":")
    return GatewayAddress(user=user, host=host, port=int(port or 22)) if host else None


def app_commands(settings: Settings) -> AppCommands:
    """Give what is run on servers; secrets are taken from the operator's environment and wrapped."""
    secrets = {name: Secret(value=value.get_secret_value()) for name, value in settings.secret_values().items()}
    limit = settings.limits.command
    return AppCommands(
        node_port=settings.node_port,
        migrate=settings.commands.migrate,
        test=settings.commands.test,
        processes=settings.processes,
        env={**settings.env, **secrets},
        check=Check(
            path=settings.check.path,
            host=settings.check.host,
            status=settings.check.status,
            deadline=settings.check.deadline,
        ),
        deadlines=Deadlines(set_up=limit, migrate=limit, test=limit),
    )


def watcher(settings: Settings) -> CommandWatcher:
    """Give the operator's own command that says whether all is well; without one nothing is run."""
    return CommandWatcher(settings.commands.watch, settings.limits.watch_command, hide=without_secrets(settings))


def hooks(settings: Settings) -> CommandHooks:
    """Give the operator's own commands at the turning points of a deploy."""
    return CommandHooks(settings.hooks.model_dump(), settings.limits.hook, hide=without_secrets(settings))


def without_secrets(settings: Settings) -> Callable[[str], str]:
    """Give what takes the values of secrets out of a text, the webhook's URL among them."""
    hide, (url, _) = app_commands(settings).without_secrets, settings.webhook()
    return lambda text: hide(text.replace(url, "[hidden]") if url else text)


def balancer_profile(settings: Settings) -> BalancerProfile:
    """Give what load balancers are created with."""
    wanted = settings.balancers
    return BalancerProfile(
        app=settings.app,
        environment=settings.environment,
        api=None if wanted.api == "auto" else BalancerApi(wanted.api),
        virtual_ip_type=wanted.virtual_ip_type,
        vip_network=wanted.vip_network,
        vip_subnet=wanted.vip_subnet,
        member_subnet=wanted.member_subnet,
        algorithm=Algorithm(wanted.algorithm),
        timeout=wanted.timeout,
        monitor=_monitor(wanted.monitor, settings.check.path),
        persistence=None if wanted.persistence == "none" else Persistence(wanted.persistence),
    )


def _monitor(wanted: MonitorSettings, path: str) -> HealthMonitor | None:
    if wanted.type == "none":
        return None
    probe = Probe.CONNECT if wanted.type == "CONNECT" else Probe.PAGE
    return HealthMonitor(probe=probe, delay=wanted.delay, timeout=wanted.timeout, attempts=wanted.attempts, path=path)
