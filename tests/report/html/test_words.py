"""Every step has its words on the page."""

from typing import get_args

import pytest

from tasks.report.html.words import DOING, STAGE_OF, doing, seconds, stage, subject
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


def test_what_is_done_says_when_and_to_what_condition():
    """The same kind of step is told apart by what it is for."""
    assert doing({"step": "ProbeOld", "moment": "after"}) == "ask for its check after the migrations"
    assert doing({"step": "SetCondition", "condition": "DRAINING"}) == "set nodes DRAINING"


def test_old_nodes_that_are_put_back_are_rotated_in():
    """They have the colour of what comes in, not of what leaves."""
    steps = [{"step": "SetCondition", "condition": condition} for condition in ("DRAINING", "ENABLED")]

    assert [stage(step) for step in steps] == ["rotate out", "rotate in"]


@pytest.mark.parametrize(
    ("step", "about"),
    [
        ({"balancer": "shop-test-http", "servers": ["shop-test-1", "shop-test-2"]}, "http: 1, 2"),
        ({"subject": "server 7", "servers": ["shop-test-1"]}, "1"),
        ({"subject": "load balancer shop-test-http", "servers": []}, "http"),
        ({"subject": "slot 1"}, "slot 1"),
    ],
)
def test_what_a_step_is_about_is_told_by_short_names(step, about):
    """What all names begin with tells nothing."""
    assert subject(step, "shop-test-") == about
