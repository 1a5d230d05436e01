"""`python -m tasks.localcloud`: start, end and look at the local cloud. Says things; everything else is elsewhere."""

# ruff: noqa: T201  a command line prints

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from tasks.localcloud import lifecycle, logs
from tasks.localcloud.faults import command_line
from tasks.localcloud.faults.build_times import BuildSeconds
from tasks.localcloud.network import NoNetwork
from tasks.localcloud.options import Face, IsolationChoice, Options
from tasks.localcloud.state import ForeignDirectory, StateDirectory, default_directory

_ENDED = {
    lifecycle.Found.RUNNING: "The local cloud has ended; nothing of it is left.",
    lifecycle.Found.REMAINS: "No local cloud was running; what an earlier one had left behind is removed.",
    lifecycle.Found.NOTHING: "No local cloud was running.",
}
_FAILURES = (lifecycle.StartFailed, logs.NoSuchLog, ForeignDirectory, NoNetwork, *command_line.FAILURES, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; gives the exit code: 0 done, 1 failed, 2 usage."""
    given = _parser().parse_args(arguments)
    state = StateDirectory(path=(given.state_dir or default_directory(os.environ)).absolute())
    try:
        code: int = given.act(state, given)
    except _FAILURES as error:
        print(f"local cloud: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("local cloud: stopped", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks.localcloud", description="An OpenStack cloud on loopback.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start it; returns when it answers", description="Start the local cloud.")
    _add_choices(up)
    down = commands.add_parser("down", help="end it; leaves nothing behind", description="End the local cloud.")
    status = commands.add_parser(
        "status", help="say whether it runs and how to reach it", description="Say how to reach it."
    )
    show = commands.add_parser("logs", help="show where its logs are, and their ends", description="Show its logs.")
    show.add_argument("--server", help="only the console of this server (name or id)")
    show.add_argument("--lines", type=int, default=20, help="lines of each log (%(default)s)")
    show.add_argument("--follow", action="store_true", help="go on showing new lines until Ctrl-C")
    fault = commands.add_parser("fault", help="let something go wrong", description="Arm, list or clear faults.")
    command_line.add_options(fault)
    doctor = commands.add_parser(
        "doctor", help="say whether this machine can run it", description="Look at what it needs of this machine."
    )
    doctor.add_argument("--port", type=_port, action="append", default=[], help="a port that is to be listened on")
    acts = (
        (up, _up),
        (down, _down),
        (status, _status),
        (show, _logs),
        (fault, command_line.act),
        (doctor, _doctor),
    )
    for command, act in acts:
        command.set_defaults(act=act)
        command.add_argument("--state-dir", type=Path, help="where its files are (XDG state directory)")
        if command not in {show, fault}:
            command.add_argument("--json", action="store_true", help="for programs")
    return parser


def _add_choices(up: argparse.ArgumentParser) -> None:
    """Declare what can be chosen when the cloud starts."""
    defaults = Options()
    up.add_argument("--region", default=defaults.region, help="name of its region (%(default)s)")
    up.add_argument("--ssh-port", type=_port, default=defaults.ssh_port, help="SSH port of servers (%(default)s)")
    up.add_argument(
        "--pending-seconds",
        type=_seconds,
        default=defaults.pending_seconds,
        help="how long a load balancer stays in PENDING_UPDATE at least (%(default)s)",
    )
    up.add_argument(
        "--isolation",
        choices=[choice.value for choice in IsolationChoice],
        default=defaults.isolation,
        help="how servers are kept apart",
    )
    up.add_argument(
        "--face",
        choices=[face.value for face in Face],
        default=defaults.face,
        help="which cloud it looks like (%(default)s)",
    )
    up.add_argument(
        "--build-seconds",
        type=_build_seconds,
        default=defaults.build_seconds,
        metavar="SECONDS|LEAST:MOST",
        help="how much longer builds take than they need (%(default)s)",
    )
    up.add_argument("--seed", type=int, help="repeat the build times of another cloud with this seed")


def _port(text: str) -> int:
    if text.isdigit() and 0 < int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"not a port: {text}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds <= 3600:
        return seconds
    raise argparse.ArgumentTypeError(f"not a number of seconds from 0 to 3600: {text}")


def _build_seconds(text: str) -> BuildSeconds:
    try:
        return BuildSeconds.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a range of seconds such as 3:8, nor a number of them: {text}") from error


def _up(state: StateDirectory, given: argparse.Namespace) -> int:
    options = Options(
        region=given.region,
        ssh_port=given.ssh_port,
        pending_seconds=given.pending_seconds,
        isolation=IsolationChoice(given.isolation),
        face=Face(given.face),
        build_seconds=given.build_seconds,
        seed=given.seed,
    )
    started = lifecycle.up(state, options)
    if started.access.warning:
        print(f"local cloud: warning: {started.access.warning}", file=sys.stderr)
    if given.json:
        print(json.dumps(lifecycle.status(state)))
    else:
        print("The local cloud was running already." if started.already else "The local cloud is running.")
        print(f"  clouds.yaml  {state.clouds_yaml}")
        print(f"  identity     {started.access.auth_url_v3}")
        print(f"  logs         {state.path}")
    return 0


def _down(state: StateDirectory, given: argparse.Namespace) -> int:
    found = lifecycle.down(state)
    if given.json:
        print(json.dumps({"running": False, "found": found}))
    else:
        print(_ENDED[found])
    return 0


def _status(state: StateDirectory, given: argparse.Namespace) -> int:
    described = lifecycle.status(state)
    if given.json:
        print(json.dumps(described))
        return 0
    hidden = {"api_key", "password", "control_token"}  # a terminal is often shown to others; --json is for programs
    for name, value in described.items():
        if value is not None and name not in hidden:
            print(f"{name:12} {value}")
    return 0


def _doctor(_state: StateDirectory, given: argparse.Namespace) -> int:
    from tasks.localcloud.prerequisites import prerequisites  # Envoy's package is a thing that may be missing

    found = list(prerequisites(given.port))
    if given.json:
        print(json.dumps([asdict(each) for each in found]))
        return 0
    for each in found:
        remedy = f" ({each.remedy})" if each.remedy else ""
        print(f"{'ok' if each.ok else 'not ok':6}  {each.what}: {each.seen}{remedy}")
    return 0 if all(each.ok for each in found) else 1


def _logs(state: StateDirectory, given: argparse.Namespace) -> int:
    if given.server:
        paths = [logs.console_of(state, given.server)]
    else:
        paths = [path for path in (state.api_log, state.daemon_log) if path.exists()]
    if given.follow:
        return logs.follow(paths)
    if given.server:
        print("\n".join(lifecycle.tail(paths[0], given.lines)))
    elif paths:
        print("\n".join(logs.overview(state, given.lines)))
    else:
        print(f"No local cloud has logs in {state.path}: start one with `up`.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
