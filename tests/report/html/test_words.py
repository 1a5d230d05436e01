"""Every step has its words on the page."""

from typing import get_args

import pytest

from tasks.report.html.words import DOING, STAGE_OF, seconds
from tasks.rollout.steps import Step


@pytest.mark.parametrize("kind", get_args(Step), ids=lambda kind: kind.__name__)
def test_every_kind_of_step_has_words_and_a_stage(kind):
    """None is shown by the name of its class."""
    assert DOING[kind.__name__]
    assert STAGE_OF[kind.__name__]


@pytest.mark.parametrize(
    ("time", "shown"),
    [(0.0004, "0 ms"), (0.25, "250 ms"), (0.97, "1.0 s"), (12.34, "12.3 s"), (90, "90.0 s"), (1234.4, "20 min 34 s")],
)
def test_times_are_as_exact_as_is_of_interest(time, shown):
    """Milliseconds of what is quick, minutes of what is not."""
    assert seconds(time) == shown
