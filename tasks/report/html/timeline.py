"""When what was done where: the lines of a journal as bars on lanes. Pure; refuses to know what a page is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from tasks.report.html import words
from tasks.report.html.critical import critical
from tasks.report.html.model import Bar, Lane, LaneKind, Moment, Request, State, Timeline
from tasks.report.journals import Line, Run, at


class _Event(StrEnum):
    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"


def timeline(run: Run) -> Timeline:
    """Give the timeline of a run. Its times count from when the verb began; what was looked at before is at 0."""
    reader = _Reader(run)
    for line in run.lines:
        reader.read(line)
    bars = reader.bars()
    return Timeline(
        lanes=_lanes(bars),
        critical=critical(bars),
        moments=_moments(run),
        requests=_requests(run),
        length=max(run.seconds, 0.001),
    )


@dataclass(frozen=True, kw_only=True)
class _Open:
    line: Line
    began: float


class _Reader:
    """Pairs what has started with what has ended; a build lasts from its request until the server is there."""

    def __init__(self, run: Run) -> None:
        self._begun = at(run.begun)
        self._ended = run.seconds
        self._left = State.STOPPED if run.ended else State.CUT_OFF
        self._prefix = run.prefix
        self._open: dict[tuple[str, str], _Open] = {}
        self._builds: dict[str, float] = {}
        self._bars: list[Bar] = []

    def read(self, line: Line) -> None:
        """Take in one line."""
        now = max(0.0, at(line) - self._begun)
        key = (str(line.get("step")), str(line.get("subject")))
        match line["event"]:
            case _Event.STARTED:
                self._open[key] = _Open(line=line, began=now)
                self._end_build(line, now)
            case _Event.FINISHED | _Event.FAILED:
                opened = self._open.pop(key, _Open(line=line, began=now))
                self._end(opened, line, now)

    def bars(self) -> tuple[Bar, ...]:
        """Give all bars in the order in which they ended; what never did lasts until the last that is known."""
        for opened in list(self._open.values()):
            if opened.line["step"] not in {"WatchBuilds", "CreateServer"}:
                self._bar(opened, self._ended, self._left, "did not end")
        for server, began in list(self._builds.items()):
            self._built(server, began, self._ended, (self._left, "did not end"))
        self._open.clear()
        self._builds.clear()
        return tuple(sorted(self._bars, key=lambda bar: (bar.ended, bar.began)))

    def _end(self, opened: _Open, line: Line, now: float) -> None:
        state = _state(line)
        servers = [fact for fact in line.get("facts", ()) if fact.get("fact") == "server"]
        if line["step"] == "CreateServer" and state is State.DONE:
            self._builds |= {str(fact["server"]): opened.began for fact in servers}
        elif line["step"] != "WatchBuilds" or state is State.FAILED:
            self._bar(opened, now, state, _note(line))
        for fact in servers:
            if fact.get("status") != "BUILD" and str(fact["server"]) in self._builds:
                is_well = fact.get("status") == "ACTIVE"
                result = (State.DONE, "") if is_well else (State.FAILED, str(fact.get("fault") or fact.get("status")))
                self._built(str(fact["server"]), self._builds.pop(str(fact["server"])), now, result)

    def _end_build(self, line: Line, now: float) -> None:
        """End the build of a server on which something else begins: it is given up."""
        for name in line.get("servers", ()) if _where(line)[0] is LaneKind.SERVER else ():
            if name in self._builds:
                self._built(name, self._builds.pop(name), now, (State.STOPPED, "given up"))

    def _built(self, server: str, began: float, ended: float, result: tuple[State, str]) -> None:
        (state, note), where = result, (LaneKind.SERVER, server.removeprefix(self._prefix))
        self._bars.append(
            Bar(where=where, stage="boot", what="boot", began=began, ended=ended, state=state, note=note)
        )  # fmt: skip

    def _bar(self, opened: _Open, ended: float, state: State, note: str) -> None:
        kind, name = _where(opened.line)
        self._bars.append(
            Bar(
                where=(kind, name.removeprefix(self._prefix)),
                stage=words.stage(opened.line),
                what=words.doing(opened.line),
                began=opened.began,
                ended=ended,
                state=state,
                note=note,
            )
        )


def _state(line: Line) -> State:
    if line["event"] == _Event.FINISHED:
        return State.DONE
    return State.STOPPED if line.get("told_to_stop") else State.FAILED


def _note(line: Line) -> str:
    """Say what is worth saying of how a step ended."""
    if line["event"] == _Event.FAILED:
        return str(line.get("error", ""))
    for fact in line.get("facts", ()):
        if fact.get("cut"):
            return f"{fact['cut']} connections were still open at the limit"
        if fact.get("problem") or fact.get("error"):
            return str(fact.get("problem") or fact.get("error"))
    return ""


def _where(line: Line) -> tuple[LaneKind, str]:
    about = str(line.get("subject", ""))
    servers = line.get("servers") or ()
    if about.startswith("load balancer "):
        return LaneKind.BALANCER, about.removeprefix("load balancer ")
    if about.startswith("server "):
        return LaneKind.SERVER, str(servers[0] if servers else about.removeprefix("server "))
    if about.startswith("slot "):
        return LaneKind.SERVER, about
    return LaneKind.DEPLOY, "deploy"


def _lanes(bars: Iterable[Bar]) -> tuple[Lane, ...]:
    """Give the lanes: the deploy itself, its new servers, others, load balancers; each by name and number."""
    by_lane: dict[tuple[LaneKind, str], list[Bar]] = {}
    for bar in bars:
        by_lane.setdefault(bar.where, []).append(bar)
    lanes = [
        Lane(
            kind=kind,
            name=name,
            is_new=any(bar.stage == "boot" for bar in inside),
            bars=tuple(sorted(inside, key=lambda bar: (bar.began, bar.ended))),
        )
        for (kind, name), inside in by_lane.items()
    ]
    return tuple(
        sorted(lanes, key=lambda lane: (list(LaneKind).index(lane.kind), not lane.is_new, _by_number(lane.name)))
    )


def _by_number(name: str) -> tuple[str | int, ...]:
    """Make servers sort by their slots: the tenth comes after the second."""
    return tuple(int(part) if number % 2 else part for number, part in enumerate(re.split(r"(\d+)", name)))


def _moments(run: Run) -> tuple[Moment, ...]:
    """Give the moments that divide a run: until the first of them nothing that serves was touched."""
    lines = run.lines
    rotation = next((at(line) for line in lines if line["event"] == "started" and line.get("step") == "AddNodes"), None)
    undo = next((at(line) for line in lines if line["event"] == "reverting"), None)
    found = {"rotation begins": rotation, "undoing begins": undo}
    moments = [Moment(at=time - at(run.begun), what=what, kind=what.split()[0]) for what, time in found.items() if time]
    return tuple(sorted(moments, key=lambda moment: moment.at))


def _requests(run: Run) -> tuple[Request, ...]:
    return tuple(
        Request(
            at=max(0.0, at(line) - at(run.begun)),
            seconds=float(line.get("seconds", 0.0)),
            api=str(line.get("api", "?")),
            text=f"{line.get('method', '?')} {line.get('path', '?')}",
            status=int(line.get("status", 0)),
        )
        for line in run.lines
        if line["event"] == "requested"
    )
