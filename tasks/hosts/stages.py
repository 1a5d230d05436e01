"""The server contract, as commands: what is run on a server in each stage, and where things lie there. Pure.

Everything lies in `/srv/app`: `release.tar.gz`, `bootstrap_scripts/`, `env`, `Procfile`; set-up leaves `bin/run` and
`bin/start`. Where a folder stands for the server's `/` (the local cloud without namespaces), SERVER_ROOT names it.
Nothing that a user or a cloud can choose gets into a script unquoted; secrets travel by standard input only.
"""

from __future__ import annotations

import shlex

from tasks.hosts.app import AppCommands, Deadlines
from tasks.hosts.push import RELEASE, SCRIPTS, Parcel, is_machine_script
from tasks.hosts.running import Command

_HOME = '"${SERVER_ROOT:-}/srv/app"'
_RUN = f"{_HOME}/bin/run"


def ask_digest(deadlines: Deadlines) -> Command:
    """Print the SHA-256 of the release that the server has, if it has one."""
    script = f"sha256sum < {_HOME}/{RELEASE} 2>/dev/null || true"
    return Command(
        stage="set up", name="looking for the release", script=f"mkdir -p {_HOME} && {script}", deadline=deadlines.ask
    )


def push(parcel: Parcel, deadlines: Deadlines) -> Command:
    """Unpack what the server gets. The umask keeps the env file private from its first byte on."""
    script = f"cd {_HOME} && rm -rf {SCRIPTS} && umask 077 && tar -xpf - --no-same-owner"
    return Command(
        stage="set up",
        name="unpacking the release and the bootstrap scripts",
        script=script,
        deadline=deadlines.push,
        feed=parcel.write,
    )


def script(name: str, deadlines: Deadlines) -> Command:
    """Run one bootstrap script. A machine script gets no env file, so that it does the same wherever it is run."""
    path = f"{SCRIPTS}/{name}"
    load_env = "" if is_machine_script(name) else ". ./env && "
    text = f"cd {_HOME} && {load_env}./{shlex.quote(path)}"
    return Command(stage="set up", name=path, script=text, deadline=deadlines.set_up)


def migrate(app: AppCommands) -> Command:
    """Run the app's migrations."""
    return _in_app("migrate", app.migrate, app.deadlines.migrate)


def test(app: AppCommands) -> Command:
    """Run the app's own unit tests."""
    return _in_app("test", app.test, app.deadlines.test)


def start(deadlines: Deadlines) -> Command:
    """Start the app's processes that do not run yet."""
    return Command(stage="start", name="bin/start", script=f"{_HOME}/bin/start", deadline=deadlines.start)


def show_log(lines: int, deadlines: Deadlines) -> Command:
    """Print the end of the app's log files. The app may put anything there, so only plain files are read."""
    text = f"cd {_HOME}/log && find . -type f -name '*.log' -exec tail -v -n {lines} -- {{}} +"
    return Command(stage="check", name="reading the app's log", script=text, deadline=deadlines.ask)


def _in_app(stage: str, command: str, deadline: float) -> Command:
    text = f"{_RUN} sh -c {shlex.quote(command)}"
    return Command(stage=stage, name=command, script=text, deadline=deadline)
