"""The page in a real browser: light and dark, on a desk and on a telephone. The pictures stay in build/screenshots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.report.html.page import page
from tests.report.html import chromium
from tests.report.html.chromium import Tab
from tests.report.html.stories import STORIES

pytestmark = pytest.mark.skipif(not chromium.PROGRAM, reason="there is no Chromium here to open the page with")
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
SIZES = {"wide": 1600, "narrow": 400}
OUTSIDE = """
  [...document.querySelectorAll('%s')].map(each => each.getBoundingClientRect())
    .filter(box => box.width <= 0 || box.left < 0 || box.right > innerWidth + 0.5).length
"""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A page that a browser shows."""

    tab: Tab
    story: str
    size: str
    path: Path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Chromium]:
    """Run a browser for all of these."""
    with chromium.chromium(tmp_path_factory.mktemp("chromium")) as running:
        yield running


@pytest.fixture(
    scope="module",
    params=[(story, scheme, size) for story in STORIES for scheme in ("light", "dark") for size in SIZES],
    ids="-".join,
)
def opened(
    request: pytest.FixtureRequest, browser: chromium.Chromium, tmp_path_factory: pytest.TempPathFactory
) -> Opened:
    """Open the page of a run, and keep a picture of it."""
    story, scheme, size = request.param
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(STORIES[story].run(str(path.with_name("journal.jsonl")))))
    tab = Tab(browser, width=SIZES[size], scheme=scheme)
    tab.open(path)
    tab.screenshot(SCREENSHOTS / f"{story}-{scheme}-{size}.png")
    return Opened(tab=tab, story=story, size=size, path=path)


def test_nothing_is_wider_than_the_window(opened: Opened) -> None:
    """Nobody has to scroll sideways, not even on a telephone."""
    assert opened.tab.find("document.documentElement.scrollWidth") <= SIZES[opened.size]


@pytest.mark.parametrize("what", [".bar .body", ".tick", ".lane", "table", "pre"])
def test_everything_can_be_seen(opened: Opened, what: str) -> None:
    """Every bar, every request and every table has a width, and is within the page."""
    assert opened.tab.find("document.querySelectorAll('details').forEach(each => each.open = true)") is None
    assert opened.tab.find(OUTSIDE % what) == 0


def test_all_bars_are_there(opened: Opened) -> None:
    """As many as the table has rows."""
    bars = opened.tab.find("document.querySelectorAll('.bar').length")

    assert bars == opened.tab.find("document.querySelectorAll('section details table.wide')[0].tBodies[0].rows.length")


def test_the_words_of_lanes_do_not_cover_each_other(opened: Opened) -> None:
    """No two marks of the axis are written over each other."""
    covered = opened.tab.find("""
      (() => { const boxes = [...document.querySelectorAll('.axis text')].map(each => each.getBoundingClientRect());
        return boxes.filter((one, n) => boxes.some((other, m) => m > n && one.left < other.right
          && other.left < one.right && one.top < other.bottom - 1 && other.top < one.bottom - 1)).length })()
    """)

    assert covered == 0


def test_the_page_needs_nothing_but_itself(opened: Opened) -> None:
    """It asks for no other file, and the console has nothing to complain about."""
    assert opened.tab.fetched == [opened.path.as_uri()]
    assert opened.tab.complaints == []


def test_what_servers_print_is_text(opened: Opened) -> None:
    """No element is made of it: there are no scripts, images, frames or styles but the one sheet."""
    made = "document.querySelectorAll('script, img, iframe, object, link, [style], [onerror], [onload]').length"

    assert opened.tab.find(made) == 0
    assert opened.tab.find("document.styleSheets.length") == 1


def test_dark_is_dark_and_light_is_light(opened: Opened, request: pytest.FixtureRequest) -> None:
    """The page follows the scheme of its reader."""
    shown = opened.tab.find("getComputedStyle(document.body).backgroundColor")

    assert shown == ("rgb(20, 23, 27)" if "dark" in request.node.callspec.id else "rgb(255, 255, 255)")
