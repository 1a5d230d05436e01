"""A deploy is killed at its k-th request or command, and the next one ends as if nothing had been."""

from functools import partial

import pytest

from tests.stories.crashes.endings import COUNT
from tests.stories.crashes.stage import Release, Story

pytestmark = pytest.mark.timeout(300)


@pytest.mark.sample("after-16", "before-40", "after-60")
def test_it_is_finished(stage, made):
    """The next deploy of the same release ends with it alone in rotation, nothing left over, and no request failed."""
    crash = made(partial(stage.crash, story=Story()))

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash) == []
    assert crash.failed == []


@pytest.mark.sample("after-48")
def test_it_is_undone(stage, made):
    """The next deploy of another release undoes it first: the same end, and no request failed."""
    crash = made(partial(stage.crash, story=Story(release=Release.ANOTHER)))

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash) == []
    assert crash.failed == []


@pytest.mark.sample("after-56")
def test_one_that_parks(stage, made):
    """With `standby`, what served before is parked in the end, whole, and nothing older; no request failed."""
    crash = made(partial(stage.crash, story=Story(settings='standby = "30m"\n')))

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash, parked=COUNT) == []
    assert crash.failed == []


def test_so_is_the_next_one(stage, made):
    """When the deploy that undoes it is killed as well, the one after that ends the same way; no request failed."""
    crash = made(partial(stage.crash, story=Story(release=Release.ANOTHER, kills=2)))

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash) == []
    assert crash.failed == []


def test_the_first_one(stage, made):
    """A first deploy is finished, too: with the load balancers that the killed one has made, and nothing twice."""
    crash = made(stage.crash_first)

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash) == []
