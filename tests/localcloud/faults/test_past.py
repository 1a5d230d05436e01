"""What something was a while ago."""

from tasks.localcloud.faults.past import KEPT_SECONDS, Past


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def past_of(*values: str) -> tuple[Past[str], Clock]:
    """Give something that had these values, a second each; the last one since now."""
    clock = Clock()
    past = Past(values[0], clock)
    for value in values[1:]:
        clock.now += 1
        past.note(value)
    return past, clock


def test_the_present_is_the_last_value():
    """No time ago it was what it is."""
    past, _ = past_of("a", "b", "c")

    assert past.ago(0) == "c"


def test_the_past_is_what_was_then():
    """A while ago it was what had been noted last before that."""
    past, _ = past_of("a", "b", "c")

    assert [past.ago(seconds) for seconds in (0.5, 1, 1.5, 2)] == ["b", "b", "a", "a"]


def test_before_the_beginning_it_was_what_it_was_at_first():
    """Longer ago than is known, the first value is given."""
    past, _ = past_of("a", "b")

    assert past.ago(1e6) == "a"


def test_what_is_long_ago_is_forgotten():
    """Values of more than an hour ago are dropped, but for the one that still held an hour ago."""
    past, clock = past_of("a", "b", "c")
    clock.now += KEPT_SECONDS + 0.5
    past.note("d")

    assert past.ago(KEPT_SECONDS * 2) == "c"
