"""A deploy is killed, and the next one is made on another machine, which cannot see that it has ended."""

from functools import partial

import pytest

from tests.stories.crashes.stage import Machine, Story

pytestmark = pytest.mark.timeout(300)


@pytest.mark.sample("after-59")
def test_it_is_seen_from_another_machine(stage, made):
    """With nothing but the credentials, the next deploy waits for the claim to expire, and ends the same way."""
    crash = made(partial(stage.crash, story=Story(machine=Machine.ANOTHER)))

    assert crash.ran.code == 0, crash.ran.text
    assert stage.unfinished(crash) == []
    assert crash.failed == []
