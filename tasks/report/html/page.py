"""The page: everything in one file, with no script, and nothing that is fetched from anywhere.

Its policy (CSP) allows the one style sheet that is in it, and nothing else: even if something that a server has printed
found its way into the page as markup, it could neither run nor load anything.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from tasks.report.html import sections
from tasks.report.html.chart import chart
from tasks.report.html.markup import section, tag, text
from tasks.report.html.model import Timeline
from tasks.report.html.timeline import timeline
from tasks.report.journals import JOURNAL, Run


def page(run: Run) -> str:
    """Give the page of a run."""
    style = resources.files(__package__).joinpath("report.css").read_text()
    body = tag("body", *_body(run, timeline(run)))
    return f'<!doctype html>\n<html lang="en">\n{_head(run, style)}\n{body}\n</html>\n'


def _head(run: Run, style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        tag("title", text(f"{sections.title(run)}: {run.result}")),
        f"<style>{style}</style>",
    )


def _body(run: Run, found: Timeline) -> tuple[str, ...]:
    return (
        sections.head(run),
        tag(
            "main",
            sections.failures(run),
            section("Timeline", _legend(found), chart(found), sections.bars_table(found)) if found.lanes else "",
            tag("div", sections.critical_path(found), sections.durations_table(found), class_="two")
            if found.lanes
            else "",
            section("More", sections.plan(run), sections.settings(run), sections.requests(found), sections.notes(run)),
        ),
        tag(
            "footer",
            tag("p", "All of this is in ", tag("a", text(JOURNAL), href=JOURNAL), " beside this page."),
            class_="quiet",
        ),
    )


def _legend(found: Timeline) -> str:
    stages = dict.fromkeys(bar.stage for bar in found.bars)
    items = [(stage.replace(" ", "-"), stage) for stage in stages]
    items += [("failed", "failed")] if any(bar.state == "failed" for bar in found.bars) else []
    items += [("path", "critical path")]
    items += [("moment", "a moment that divides the run")] if found.moments else []
    told = [tag("li", tag("span", class_=f"swatch {kind}"), text(words)) for kind, words in items]
    return tag("ul", *told, class_="legend")
