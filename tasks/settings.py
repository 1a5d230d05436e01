"""What can be set: types, defaults and meanings. `settings_file` reads them.

What a key means stands in its description here, and nowhere else.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from tasks.errors import SettingsError
from tasks.setting_kinds import Batches, Line, Name, Port, Seconds, Standby, Variable, Webhook, webhook

PACKAGE_ROOT = Path(__file__).parent.parent
LOCAL = "local"


class Section(BaseModel):
    """A part of the settings: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceSettings(Section):
    """What a release is built from, and for."""

    path: Path = Field(PACKAGE_ROOT / "tests/sample_app", description="the app's folder, relative to this file")
    requirements: str = Field("requirements.txt", description='its pip requirements file; "" when it has none')
    python: str = Field(
        "", pattern=r"^(\d+\.\d+)?$", description='the servers\' Python, such as "3.11"; "" = like here'
    )
    platforms: tuple[str, ...] = Field(
        (), description='wheel platforms of the servers, such as "manylinux2014_aarch64"'
    )


class CommandSettings(Section):
    """What is run on new servers, in the app's folder."""

    migrate: str = Field("python manage.py migrate --noinput", description='run once per deploy; "" = nothing')
    test: str = Field("python manage.py test --noinput", description='run on every new server; "" = nothing')
    watch: str = Field(
        "",
        description="run on your machine during a watch, again and again; another exit code than 0, twice, is a breach",
    )


class HookSettings(Section):
    """Command lines run on your machine around a deploy, a `rotate` and a `rollback`; "" = none."""

    before_deploy: str = Field("", description="run before anything is done; when it fails, nothing is")
    before_rotate: str = Field(
        "", description="run when all new servers are ready; when it fails, they are deleted and nothing else changes"
    )
    after_rotate: str = Field("", description="run when only new servers get requests; a failure is said, no more")
    after_deploy: str = Field("", description="run when all is done; a failure is said, no more")
    on_failure: str = Field(
        "", description="run when it has failed and what was done is undone; a failure of its own is said, no more"
    )


class CheckSettings(Section):
    """How a server proves that its app works: an HTTP request to its private IP and node port."""

    path: str = Field("/healthz", pattern=r"^/[!-~]*$", description="the path asked for")
    host: str = Field(
        "", pattern=r"^[\w.:\[\]-]*$", description='the Host header, for an app that wants its own; "" = the address'
    )
    status: int = Field(200, ge=100, le=599, description="the status expected")
    deadline: Seconds = Field(60, description="seconds the app may take from its start until the check passes")


class ServerSettings(Section):
    """What servers are made of, and how they are reached."""

    image: str = Field(description="name or id of the image")
    flavor: str = Field(description="name or id of the flavor")
    networks: tuple[str, ...] = Field((), description="ids of the networks to attach; none = the cloud's default")
    private_network: str = Field("", description='network name or CIDR of the private IP; "" = find it')
    microversion: str = Field("", description='of the compute API; "" = the one pinned for the kind of cloud')
    wait_for: tuple[Literal["rackconnect", "managed"], ...] = Field(
        (), description="Rackspace's automations that have to be done with a server before it is used"
    )
    user: str = Field(
        "root", pattern=r"^[A-Za-z_][\w.-]*$", description="login user; others than root need sudo without a password"
    )
    ssh_port: Port = Field(22, description="where sshd listens")
    key_file: str = Field(
        "",
        description='private key to log in with, or the .pub file of one in your SSH agent; "" = one made for this app',
    )
    passphrase_env: Variable | Literal[""] = Field(
        "", description='variable with the passphrase of key_file; "" = you are asked for it'
    )
    trust: Literal["console", "injected", "first-use"] = Field(
        "console",
        description="where SSH host keys are learnt: on the console, by a key that is thrown away, or on first use",
    )
    gateway: str = Field(
        "",
        pattern=r"^([\w.-]+@[\w.-]+(:\d{1,5})?)?$",
        description="user@host:port of a jump host to private IPs, which your own ~/.ssh/known_hosts has to know",
    )


class ListenerSettings(Section):
    """A port that users connect to."""

    name: Name = Field(description="part of the load balancer's name")
    port: Port = Field(description="the port at the virtual IP")
    protocol: Literal["HTTP", "HTTPS", "TCP"] = Field("HTTP", description="HTTPS and TCP are passed through")
    node_port: Port | None = Field(None, description="the servers' port, if it is another than the common one")


class MonitorSettings(Section):
    """How load balancers find out whether a node answers."""

    type: Literal["CONNECT", "HTTP", "none"] = Field(
        "CONNECT", description="by a connection, by the check's path, or not at all"
    )
    delay: int = Field(10, ge=1, le=3600, description="seconds between two looks")
    timeout: int = Field(5, ge=1, le=300, description="seconds a look may take")
    attempts: int = Field(3, ge=1, le=10, description="failed looks in a row that take a node out")


class BalancerSettings(Section):
    """How load balancers spread requests."""

    api: Literal["auto", "clb", "octavia"] = Field(
        "auto", description="which API makes them; auto = what the cloud has"
    )
    virtual_ip_type: Literal["PUBLIC", "SERVICENET"] = Field(
        "PUBLIC", description="CLB: for everybody, or for servers only"
    )
    vip_network: str = Field("", description='Octavia: network of the virtual IP; "" = the only one')
    vip_subnet: str = Field("", description='Octavia: subnet of the virtual IP; "" = the only one')
    member_subnet: str = Field("", description='Octavia: subnet of the nodes; "" = that of the virtual IP')
    algorithm: Literal["RANDOM", "ROUND_ROBIN", "LEAST_CONNECTIONS"] = Field("ROUND_ROBIN", description="who is next")
    timeout: int = Field(30, ge=30, le=120, description="seconds an idle connection is kept")
    persistence: Literal["none", "HTTP_COOKIE", "SOURCE_IP"] = Field(
        "none", description="whether a client sticks to a node"
    )
    monitor: MonitorSettings = Field(MonitorSettings(), description="the health monitor")


class LimitSettings(Section):
    """How long things may take, in seconds, before they count as failed."""

    build: Seconds = Field(1200, description="a server's build")
    ssh: Seconds = Field(300, description="from ACTIVE until its sshd answers with a host key that is trusted")
    command: Seconds = Field(1800, description="each set-up script, the migrations, the tests")
    watch_command: Seconds = Field(30, description="one run of `commands.watch`")
    hook: Seconds = Field(300, description="each command of `hooks`")
    balancer: Seconds = Field(300, description="a load balancer's change")
    drain: Seconds = Field(60, description="old connections get this long to end")
    delete: Seconds = Field(300, description="a server's deletion")
    wait: Seconds = Field(1800, description="the work of another operator, with `--wait`")


class Settings(Section):
    """Everything that can be set."""

    app: Name = Field("guestbook", description="the app's name; with the environment it marks what is ours")
    environment: Name = Field("production", description="which of the app's environments this is")
    cloud: str = Field(
        LOCAL, min_length=1, description='"local", or an entry of clouds.yaml; "env" = the OS_* variables'
    )
    count: int = Field(2, ge=1, le=200, description="how many servers serve")
    node_port: Port = Field(8000, description="the servers' port that the app listens on")
    build_attempts: int = Field(3, ge=1, le=10, description="how often a slot is built before the deploy fails")
    batches: Batches = Field(
        ("100%",),
        description='how many new servers are in rotation after each batch, such as [1, "25%", "100%"]; in the end all',
    )
    watch: Annotated[float, Field(ge=0)] = Field(
        0, description="seconds for which new servers are watched after each batch, before old ones are let go"
    )
    standby: Standby = Field(
        "0",
        description='how long old servers are kept for a rollback: "90s", "30m", "12h", "2d" or "until next deploy"; '
        '"0" = they are deleted at once',
    )
    seal: bool = Field(default=False, description="in the end, nobody can log in to the new servers any more")
    bootstrap_scripts: Path = Field(PACKAGE_ROOT / "bootstrap_scripts", description="folder of the set-up scripts")
    bootstrap: Literal["push", "cloud-init", "cron"] = Field(
        "push", description="how servers get the set-up scripts below 50: over SSH, as user data, or as injected files"
    )
    processes: dict[Name, Line] = Field(
        {
            "web": 'gunicorn guestbook.wsgi --bind "$PRIVATE_IP:$NODE_PORT"',
            "worker": "python manage.py run_worker",
        },
        description="what runs on every server, from every boot on",
    )
    env: dict[Variable, str] = Field({}, description="environment variables of the app")
    secrets: tuple[Variable, ...] = Field(
        (), description="variables taken from the operator's environment, never shown"
    )
    notify: Webhook = Field(
        SecretStr(""), description='webhook URL that is told how a deploy, `rotate` or `rollback` ends; "" = none'
    )
    notify_env: Variable | Literal[""] = Field("", description="variable with that URL, to keep it out of this file")
    source: SourceSettings = Field(SourceSettings(), description="what a release is built from")
    commands: CommandSettings = Field(CommandSettings(), description="what is run on new servers")
    hooks: HookSettings = Field(HookSettings(), description="what is run on your machine around a deploy")
    check: CheckSettings = Field(CheckSettings(), description="how a server proves that it works")
    server: ServerSettings = Field(description="what servers are made of")
    listeners: tuple[ListenerSettings, ...] = Field(min_length=1, description="the ports that users connect to")
    balancers: BalancerSettings = Field(BalancerSettings(), description="how load balancers spread requests")
    limits: LimitSettings = Field(LimitSettings(), description="how long things may take")

    @model_validator(mode="after")
    def _listeners_differ(self) -> Self:
        for what in ("name", "port"):
            values = [getattr(listener, what) for listener in self.listeners]
            twice = {value for value in values if values.count(value) > 1}
            if twice:
                raise ValueError(f"listeners: two of them have the {what} {twice.pop()}")
        return self

    @property
    def is_local(self) -> bool:
        """Say whether the local cloud is meant."""
        return self.cloud == LOCAL

    def secret_values(self) -> dict[str, SecretStr]:
        """Take the secrets from the operator's environment.

        :raises SettingsError: variables that are named in `secrets` are not set.
        """
        missing = [name for name in self.secrets if name not in os.environ]
        if missing:
            raise SettingsError(f"secrets: not set in your environment: {', '.join(missing)}")
        return {name: SecretStr(os.environ[name]) for name in self.secrets}

    def webhook(self) -> tuple[str, str]:
        """Give the URL that is told how a deploy ends, "" = none; and what is wrong with it, if it can not be known.

        It opens a door, and a deploy does not fail for the want of it.
        """
        if not self.notify_env:
            return self.notify.get_secret_value(), ""
        given = os.environ.get(self.notify_env, "")
        if not given:
            return "", f"notify_env: {self.notify_env} is not set in your environment"
        try:
            return webhook(SecretStr(given)).get_secret_value(), ""
        except ValueError:
            return "", f"notify_env: what {self.notify_env} holds is no URL that begins with https:// or http://"
