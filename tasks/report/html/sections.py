"""What the page says in words and tables: what was run, what failed, the plan, the settings, the requests."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import Any

from tasks.outcomes import Outcome
from tasks.report.html import words
from tasks.report.html.chart import ending
from tasks.report.html.durations import durations
from tasks.report.html.markup import folded, section, table, tag, text
from tasks.report.html.model import Timeline
from tasks.report.html.words import seconds
from tasks.report.journals import Line, Run, at

MOST_REQUESTS = 1000
KINDS = {Outcome.DONE: "good", None: "warn"}


def head(run: Run) -> str:
    """Say what was run, how it ended and how long it took."""
    outcome = run.outcome
    code = f" (exit code {outcome.exit_code})" if outcome else ""
    facts = {
        "Release": run.of("release") or "-",
        "Generation": run.of("generation") or "-",
        "Servers wanted": run.of("count"),
        "Cloud": run.of("cloud"),
        "By": run.of("owner"),
        "Begun": f"{run.when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Took": seconds(run.seconds),
    }
    told = [tag("div", tag("dt", text(name)), tag("dd", text(value))) for name, value in facts.items()]
    return tag(
        "header",
        tag("h1", text(title(run))),
        tag("div", text(f"{run.result}{code}"), class_=f"outcome {KINDS.get(outcome, 'bad')}"),
        tag("dl", *told, class_="facts"),
    )


def title(run: Run) -> str:
    """Name the run."""
    return f"{run.of('verb').capitalize()} of {run.of('app')} to {run.of('environment')}"


def failures(run: Run) -> str:
    """Show what failed, with its output, and what is to be done; nothing when all went well."""
    causes = [line for line in run.lines if line["event"] == "failed" and not line.get("told_to_stop")]
    shown = [_failure(line, run) for line in causes]
    ended = run.ended
    rest = _rest(str(ended.get("error", "")), [str(line.get("error", "")) for line in causes])
    shown += [tag("p", text(rest))] if rest else []
    console = [tag("pre", text(ended["console"]), tabindex=0)] if ended.get("console") else []
    after = [*console, *(tag("p", text(ended[name])) for name in ("aftermath", "advice") if ended.get(name))]
    return section("What failed", *shown, *after) if shown else ""


def _rest(error: str, shown: Sequence[str]) -> str:
    """Give what the error of the run says beside those of its steps."""
    for each in shown:
        error = error.removeprefix(each) if each else error
    return error.strip()


def _failure(line: Line, run: Run) -> str:
    parts = (words.doing(line), words.subject(line, run.prefix), f"at {seconds(at(line) - at(run.begun))}")
    about = " · ".join(part for part in dict.fromkeys(parts) if part)  # a watch is about the watch
    return tag("h3", text(about), class_="bad") + tag("pre", text(line.get("error", "")), tabindex=0)


def critical_path(timeline: Timeline) -> str:
    """List the critical path: what to look at in order to make the run shorter."""
    steps = [
        tag("li", text(f"{bar.what} · {bar.where[1]}"), " ", tag("b", text(seconds(bar.seconds))))
        for bar in timeline.critical
    ]
    on_it = sum(bar.seconds for bar in timeline.critical)
    said = f"The chain of things that it had to wait for: {seconds(on_it)} of {seconds(timeline.length)}."
    return section("Critical path", tag("p", text(said), class_="quiet"), tag("ol", *steps, class_="path"))


def durations_table(timeline: Timeline) -> str:
    """Show how long each stage took."""
    rows = [
        (each.stage, each.times, seconds(each.least), seconds(each.middle), seconds(each.most))
        for each in durations(timeline.bars)
    ]
    headings = ("Stage", "Times#", "Least#", "Middle#", "Most#")
    return section("Durations", table("Each stage that ended well", headings, rows))


def bars_table(timeline: Timeline) -> str:
    """Show the timeline as a table, for whoever can not see it, and for whoever looks something up."""
    path = set(map(id, timeline.critical))
    rows = [
        (
            bar.where[1],
            bar.what,
            f"{bar.began:.2f}",
            f"{bar.seconds:.2f}",
            ending(bar),
            "yes" if id(bar) in path else "",
        )
        for bar in timeline.bars
    ]
    headings = ("Where", "What", "Began (s)#", "Took (s)#", "Ended", "Critical path")
    return folded("The timeline as a table", table("In the order in which it began", headings, rows, kind="wide"))


def plan(run: Run) -> str:
    """Show what was planned; nothing when it did not come to that."""
    rounds = next((line.get("rounds", ()) for line in run.lines if line["event"] == "planned"), ())
    rows = [
        (number, words.doing(step), words.subject(step, run.prefix))
        for number, step in enumerate((step for bag in rounds for step in bag), start=1)
    ]
    return (
        folded("The plan", table("In the order in which it becomes possible", ("No.#", "Step", "On"), rows))
        if rows
        else ""
    )


def settings(run: Run) -> str:
    """Show the settings that it was run with."""
    rows = list(_flat(run.begun.get("settings") or {}))
    return folded("The settings", table("Secrets are masked", ("Setting", "Value"), rows)) if rows else ""


def _flat(values: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{path}{key}.")
        elif isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
            for number, each in enumerate(value):
                yield from _flat(each, f"{path}{key}[{number}].")
        else:
            yield f"{path}{key}", _worded(value)


def _worded(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value) if value not in ("", None, {}) else "-"


def notes(run: Run) -> str:
    """List what was said meanwhile: waits for rate limits, notes on the release."""
    said = [
        tag("li", text(f"{seconds(max(0.0, at(line) - at(run.begun)))}: {line.get('text')}"))
        for line in run.lines
        if line["event"] == "said"
    ]
    return folded(f"What was said meanwhile ({len(said)})", tag("ul", *said)) if said else ""


def requests(timeline: Timeline) -> str:
    """Count the requests to the cloud, and list them."""
    asked = timeline.requests
    if not asked:
        return ""
    taken: dict[tuple[str, str], list[float]] = defaultdict(list)
    answers: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for request in asked:
        kind = (request.api, request.text.partition(" ")[0])
        taken[kind].append(request.seconds)
        answers[kind][str(request.status or "no answer")] += 1
    rows = [
        (
            " ".join(kind),
            len(times),
            f"{sum(times):.2f}",
            ", ".join(f"{n} times {code}" for code, n in answers[kind].items()),
        )
        for kind, times in sorted(taken.items())
    ]
    counted = table("By API and method", ("API", "Requests#", "Together (s)#", "Answers"), rows)
    listed = [(f"{one.at:.2f}", one.api, one.text, one.status or "-", f"{one.seconds:.3f}") for one in asked]
    headings = ("At (s)", "API", "Request", "Answer#", "Took (s)#")
    each = table(f"The first {MOST_REQUESTS} at most", headings, listed[:MOST_REQUESTS], kind="wide")
    return folded(f"Requests to the cloud ({len(asked)})", counted, each)
