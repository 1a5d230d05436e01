"""The timeline as a picture: SVG whose widths are shares of the page, so that it fits a desk and a telephone.

Everything in it is in the table below it as well. No element has a style of its own: the page's policy forbids it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tasks.report.html.markup import tag, text
from tasks.report.html.model import Bar, Lane, LaneKind, Moment, Request, State, Timeline
from tasks.report.html.words import seconds

HEIGHT = 26
LEAST = 0.3
"""The width of the shortest bar, in percent: it can be seen, and pointed at."""
TOO_SHORT, SHORT = 2.5, 9
"""A bar of less than this, in percent, has no words on it; on a telephone one of less than the second."""
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
MOST_MARKS = 6
WHAT = {LaneKind.DEPLOY: "The deploy as a whole", LaneKind.SERVER: "Server", LaneKind.BALANCER: "Load balancer"}


def chart(timeline: Timeline) -> str:
    """Give the picture: an axis, a lane for each server and load balancer, and one for the requests to each API."""
    rows = [_axis(timeline), *(_lane(lane, timeline) for lane in timeline.lanes), *_requests(timeline)]
    return tag("div", *rows, class_="timeline")


def label(bar: Bar) -> str:
    """Say in a line what a bar shows."""
    how = f", {ending(bar)}" if bar.note or bar.state is not State.DONE else ""
    return f"{bar.what}, {seconds(bar.seconds)} from {seconds(bar.began)} on{how}"


def ending(bar: Bar) -> str:
    """Say how a bar ended, in the first line of what is to be said."""
    return f"{bar.state}: {bar.note.splitlines()[0]}" if bar.note else bar.state.value


def marks(length: float) -> tuple[float, ...]:
    """Give the seconds to mark on an axis: round ones, and few enough to be read."""
    step = next((step for step in STEPS if length / step <= MOST_MARKS), length / MOST_MARKS)
    return tuple(step * number for number in range(int(length / step) + 1))


def _axis(timeline: Timeline) -> str:
    height = 18 + 16 * len(timeline.moments)
    times = [
        tag("text", text(_clock(mark)), x=_share(mark, timeline), y=height - 4, text_anchor=_anchor(mark, timeline))
        for mark in marks(timeline.length)
    ]
    words = [_moment(moment, timeline, 12 + 16 * row) for row, moment in enumerate(timeline.moments)]
    track = tag("svg", *words, *times, class_="track axis", height=height, aria_hidden="true")
    return tag("div", tag("div", class_="name"), track, class_="lane")


def _clock(mark: float) -> str:
    minutes, rest = divmod(mark, 60)
    return f"{minutes:g} min" if mark and not rest else f"{mark:g} s"


def _moment(moment: Moment, timeline: Timeline, y: int) -> str:
    side = "end" if moment.at > timeline.length / 2 else "start"
    words = f"{moment.what} ▸" if side == "end" else f"◂ {moment.what}"
    return tag("text", text(words), class_="when", x=_share(moment.at, timeline), y=y, text_anchor=side)


def _anchor(mark: float, timeline: Timeline) -> str:
    if mark == 0:
        return "start"
    return "end" if mark > timeline.length * 0.93 else "middle"


def _lane(lane: Lane, timeline: Timeline) -> str:
    told = "; ".join(label(bar) for bar in lane.bars)
    bars = [_bar(bar, timeline) for bar in lane.bars]
    about = WHAT[lane.kind] if lane.kind is LaneKind.DEPLOY else f"{WHAT[lane.kind]} {lane.name}"
    track = tag(
        "svg", *_lines(timeline), *bars, class_="track", height=HEIGHT, role="img", aria_label=f"{about}: {told}"
    )
    return tag("div", tag("div", text(lane.name), class_="name", title=about), track, class_="lane")


def _bar(bar: Bar, timeline: Timeline) -> str:
    """Draw a bar: a picture of its own within the lane, so that its words are cut off where it ends."""
    width = max(LEAST, 100 * bar.seconds / timeline.length)
    left = min(100 * bar.began / timeline.length, 100 - width)
    body = tag("rect", class_="body", width="100%", height="19", rx=3)
    path = tag("rect", class_="path", y=20, width="100%", height=3) if bar in timeline.critical else ""
    kind = f"bar {bar.stage.replace(' ', '-')} {bar.state.replace(' ', '-')}"
    words = tag("text", text(bar.what), x=5, y=13.5, class_="short" if width < SHORT else None)
    inside = (tag("title", text(label(bar))), body, words if width >= TOO_SHORT else "", path)
    return tag("svg", *inside, class_=kind, x=f"{left:.3f}%", y=2, width=f"{width:.3f}%", height=HEIGHT - 3)


def _requests(timeline: Timeline) -> Iterator[str]:
    for api in sorted({request.api for request in timeline.requests}):
        asked = [request for request in timeline.requests if request.api == api]
        bad = sum(1 for request in asked if not request.is_well)
        told = f"{len(asked)} requests to the {api} API, {bad} of them refused or without an answer"
        ticks = [_tick(request, timeline) for request in asked]
        track = tag("svg", *_lines(timeline), *ticks, class_="track", height=HEIGHT, role="img", aria_label=told)
        name = tag("div", text(f"{api} API"), class_="name quiet", title=told)
        yield tag("div", name, track, class_="lane")


def _tick(request: Request, timeline: Timeline) -> str:
    began = max(0.0, request.at - request.seconds)
    width = max(0.15, 100 * (request.at - began) / timeline.length)
    left = min(100 * began / timeline.length, 100 - width)
    answer = request.status or "no answer"
    title = tag("title", text(f"{request.text}: {answer}, {seconds(request.seconds)}"))
    kind = "tick" if request.is_well else "tick bad"
    return tag("rect", title, class_=kind, x=f"{left:.3f}%", y=7, width=f"{width:.3f}%", height=12)


def _lines(timeline: Timeline) -> Iterator[str]:
    """Draw the marks of the axis and the moments through a lane."""
    kinds = [(mark, "grid") for mark in marks(timeline.length)] + [(each.at, "moment") for each in timeline.moments]
    for time, kind in kinds:
        x = _share(time, timeline)
        yield tag("line", class_=kind, x1=x, x2=x, y1=0, y2=HEIGHT)


def _share(time: float, timeline: Timeline) -> str:
    return f"{min(100.0, 100 * time / timeline.length):.3f}%"
