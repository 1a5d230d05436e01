"""A deploy is killed at its k-th request or command, and the next one ends as if nothing had been."""

import pytest

from tests.stories.crashes.endings import COUNT
from tests.stories.crashes.stage import Story

pytestmark = pytest.mark.timeout(300)


@pytest.mark.sample("before-7", "after-16", "before-24", "after-40", "before-52", "after-60")
def test_it_is_finished(crashed):
    """The next deploy of the same release ends with it alone in rotation, nothing left over, and no request failed."""
    crash, left = crashed(Story())

    assert crash.ran.code == 0, crash.ran.text
    assert left() == []
    assert crash.failed == []


@pytest.mark.sample("after-48")
def test_it_is_undone(crashed):
    """The next deploy of another release undoes it first: the same end, and no request failed."""
    crash, left = crashed(Story(goes_on=False))

    assert crash.ran.code == 0, crash.ran.text
    assert left() == []
    assert crash.failed == []


@pytest.mark.sample("after-56")
def test_one_that_parks(crashed):
    """With `standby`, what served before is parked in the end, whole, and nothing older; no request failed."""
    crash, left = crashed(Story(settings='standby = "30m"\n'))

    assert crash.ran.code == 0, crash.ran.text
    assert left(parked=COUNT) == []
    assert crash.failed == []
