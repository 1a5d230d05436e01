"""`python -m tasks.localcloud fault`: arms, lists and clears faults. Says things; the cloud itself does the rest."""

# ruff: noqa: T201  a command line prints

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from tasks.localcloud.faults.names import describe
from tasks.localcloud.faults.steering import NotRunning, Refused, Steering
from tasks.localcloud.state import StateDirectory

FAILURES = (NotRunning, Refused)
_ALL = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare what `fault` understands; the numbers are the control API's to check."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["faults:", *_known()])
    act = parser.add_mutually_exclusive_group(required=True)
    act.add_argument("name", nargs="?", metavar="NAME", help="the fault to arm, see below")
    act.add_argument("--list", action="store_true", help="say what is armed, how often it struck, and what there is")
    act.add_argument("--clear", nargs="?", const=_ALL, metavar="NAME", help="forget all faults, or those of one name")
    parser.add_argument("--times", type=int, default=1, help="how often it strikes; 0: until cleared (%(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long it lasts or delays (%(default)s)")
    parser.add_argument(
        "--match", default="", help="only what is about this: part of a server's or load balancer's name, or a path"
    )
    parser.add_argument("--after", type=int, default=0, help="let so many occasions pass first (%(default)s)")


def act(state: StateDirectory, given: argparse.Namespace) -> int:
    """Do what was typed; gives the exit code.

    :raises NotRunning, Refused: it cannot be done.
    """
    steering = Steering(state)
    if given.list:
        print("\n".join(_listed(steering.faults())))
    elif given.clear is not None:
        print(f"{steering.clear(given.clear)} cleared.")
    else:
        wanted = {option: getattr(given, option) for option in ("name", "times", "seconds", "match", "after")}
        print(f"Armed: {_worded(steering.arm(wanted))}")
    return 0


def _listed(answer: dict[str, Any]) -> Iterator[str]:
    for fault in answer["faults"]:
        yield f"  {_worded(fault)}"
        yield from (f"    {about}" for about in fault["strikes"])
    yield "" if answer["faults"] else "  nothing\n"
    yield "There are:"
    yield from _known()


def _worded(fault: dict[str, Any]) -> str:
    times = f"{fault['times']} times" if fault["times"] else "until cleared"
    about = f", only {fault['match']!r}" if fault["match"] else ""
    after = f", after {fault['passed']} of {fault['after']} occasions" if fault["after"] else ""
    return f"{fault['name']}: {times}, {fault['seconds']:g} s{about}{after}; struck {fault['struck']} times"


def _known() -> Iterator[str]:
    width = max(map(len, describe()))
    return (f"  {name:{width}}  {sentence}" for name, sentence in describe().items())
