"""Where deploys are killed: at a few points, or with `--every-crash` at every request and command; and the table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stories.crashes.holding import Moment, Point
from tests.stories.crashes.stage import Crash, Stage

FARTHEST = 200  # no deploy of two servers makes more requests; what lies beyond the end of one is skipped


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "sample(*points): where deploys are killed without --every-crash")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test the points at which a deploy is to be killed."""
    if "point" in metafunc.fixturenames:
        points = _every() if metafunc.config.getoption("--every-crash") else _sample(metafunc.definition)
        metafunc.parametrize("point", points, ids=str)


def _every() -> list[Point]:
    return [Point(k=k, moment=moment) for k in range(1, FARTHEST + 1) for moment in Moment]


def _sample(test: pytest.Item) -> list[Point]:
    named = (point.split("-") for mark in test.iter_markers("sample") for point in mark.args)
    return [Point(k=int(k), moment=Moment(moment)) for moment, k in named]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show the table: what each deploy that was killed was doing, and what came of it."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    rows = [(*row, report.outcome, report.nodeid) for report in reports for row in _rows(report)]
    if rows:
        terminalreporter.section("crashes")
        for *row, outcome, nodeid in sorted(rows, key=lambda row: (row[-1].split("[")[0], row[1], int(row[0]))):
            terminalreporter.line(f"{outcome:6} {nodeid.split('::')[-1]}: {' | '.join(row)}")


def _rows(report: pytest.TestReport) -> Iterator[tuple[str, ...]]:
    return (tuple(value) for name, value in report.user_properties if name == "crash")


@pytest.fixture(scope="module")
def stage(face: str, caches: Path) -> Iterator[Stage]:
    """Give the site."""
    stage = Stage(face, caches)
    yield stage
    stage.close()


@pytest.fixture
def made(stage: Stage, point: Point, request: pytest.FixtureRequest) -> Callable[[Callable[[Point], Crash]], Crash]:
    """Give what kills a deploy at the point, in a given way, and writes the row of the table."""

    def make(way: Callable[[Point], Crash]) -> Crash:
        test = request.node.originalname
        if point.k > stage.ends.get(test, FARTHEST):
            pytest.skip("the deploy makes fewer requests")
        crash = way(point)
        request.node.user_properties.append(("crash", crash.row))
        if not crash.held:
            stage.ends[test] = point.k
            assert request.config.getoption("--every-crash"), f"{point} is no point of this deploy: choose another"
        return crash

    return make
