"""Which time it is on the cloud's clock, by the Date of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tasks.cloud.cloud_time import CloudTime, uptime
from tests.cloud.compute_wire import REQUEST, Build, server
from tests.cloud.wire import Reply, Wire

TUESDAY = "Tue, 06 May 2031 12:00:00"
NOON = datetime(2031, 5, 6, 12, 0, 0, tzinfo=UTC)


class Machine:
    """A machine whose clock a test sets."""

    def __init__(self) -> None:
        self.up = 1000.0
        self.cloud = CloudTime(lambda: self.up)

    def hears(self, date: datetime, *, took: float, **headers: str) -> None:
        """Let an answer arrive that was under way for so long."""
        sent = self.up
        self.up += took
        self.cloud.hear({"Date": format_datetime(date, usegmt=True), **headers}, since=sent)

    def off(self, right: datetime) -> timedelta:
        """Say how far the clock is from the right time."""
        return abs(self.cloud.now() - right)


@pytest.fixture
def machine() -> Machine:
    """Make one."""
    return Machine()


class TestBounds:
    """What answers tell together."""

    def test_one_answer_tells_it_to_half_a_round_trip(self, machine: Machine) -> None:
        """The cloud wrote its Date, cut to seconds, at some time between question and answer."""
        machine.hears(NOON, took=0.2)

        assert machine.off(NOON + timedelta(seconds=0.6)) < timedelta(milliseconds=1)

    def test_the_clock_goes_on_between_two_answers(self, machine: Machine) -> None:
        """No answer is needed for time to pass, be it an hour in which the laptop slept."""
        machine.hears(NOON, took=0)
        machine.up += 3600

        assert machine.off(NOON + timedelta(hours=1)) <= timedelta(seconds=0.5)

    def test_answers_narrow_it_down(self, machine: Machine) -> None:
        """Dates that are cut to seconds tell the very instant at which the second changes."""
        machine.hears(NOON, took=0)
        machine.up += 0.25
        machine.hears(NOON + timedelta(seconds=1), took=0)

        assert machine.off(NOON + timedelta(seconds=1.125)) < timedelta(seconds=0.126)

    def test_a_slow_answer_does_not_spoil_what_fast_ones_told(self, machine: Machine) -> None:
        """An answer that was under way for half a minute says little, and moves the clock by nothing."""
        machine.hears(NOON, took=0)
        machine.hears(NOON + timedelta(seconds=1), took=30)

        assert machine.off(NOON + timedelta(seconds=30)) <= timedelta(seconds=1)

    def test_a_clock_that_is_set_is_followed(self, machine: Machine) -> None:
        """When the newest answer contradicts all before, it is right."""
        machine.hears(NOON, took=0)
        machine.hears(NOON - timedelta(minutes=5), took=0)

        assert machine.off(NOON - timedelta(minutes=5)) <= timedelta(seconds=0.5)

    def test_an_answer_out_of_a_cache_tells_nothing(self, machine: Machine) -> None:
        """A Date is as old as the answer that a proxy kept."""
        machine.hears(NOON, took=0)
        machine.hears(NOON - timedelta(minutes=5), took=0, Age="300")

        assert machine.off(NOON) <= timedelta(seconds=0.5)

    @pytest.mark.parametrize("date", ["", "yesterday", f"{TUESDAY} -0000", "2031-05-06 12:00"])
    def test_a_date_that_is_none_tells_nothing(self, machine: Machine, date: str) -> None:
        """What is no date, or does not say in which time zone, is left out."""
        machine.hears(NOON, took=0)
        machine.cloud.hear({"Date": date}, since=machine.up)

        assert machine.off(NOON) <= timedelta(seconds=0.5)

    def test_the_machines_clock_never_goes_back(self) -> None:
        """Two looks at the clock that carries the time on come in order."""
        first = uptime()

        assert uptime() >= first


def on(wire: Wire, date: str) -> None:
    """Answer every list of servers with that Date."""
    wire.on("GET", "/servers/detail$", Reply(body={"servers": [server()]}, headers={"Date": date}))


class TestCompute:
    """The clock of the compute API."""

    @pytest.mark.parametrize("noon", [NOON - timedelta(days=4000), NOON, NOON + timedelta(days=4000)])
    def test_the_clouds_clock_counts(self, build: Build, wire: Wire, noon: datetime) -> None:
        """Whatever this machine thinks, the time is that of the answers; asking for it again asks nobody."""
        on(wire, format_datetime(noon, usegmt=True))
        compute = build()
        compute.servers()
        asked = len(wire.requests)

        assert compute.now().date() == noon.date()
        assert compute.now().tzinfo is UTC
        assert len(wire.requests) == asked

    def test_two_operators_agree(self, build: Build, wire: Wire) -> None:
        """Two who ask the same cloud have the same time, each by what he asked."""
        on(wire, f"{TUESDAY} GMT")
        one, other = build(), build()

        assert abs(one.now() - other.now()) < timedelta(minutes=10)
        assert one.now().year == 2031

    def test_something_small_is_asked_when_nothing_has_been(self, build: Build, wire: Wire) -> None:
        """The first question is for the time alone: a list of one server at most."""
        on(wire, f"{TUESDAY} GMT")

        assert build().now().year == 2031
        assert [asked.query for asked in wire.received("GET", "/servers")] == [{"limit": ["1"]}]

    def test_a_cloud_without_dates_has_this_machines_time(self, build: Build, wire: Wire) -> None:
        """Where answers have no Date, the operator's own clock must do, and nothing more is asked for it."""
        on(wire, "")
        compute = build()

        before = datetime.now(UTC)
        assert before <= compute.now() <= datetime.now(UTC)
        compute.now()
        assert len(wire.received("GET", "/servers")) == 1

    def test_a_new_server_is_as_old_as_its_answer(self, build: Build, wire: Wire) -> None:
        """Until it is looked at again, a server was created when the cloud, on its own clock, said that it would be."""
        compute = build()
        accepted = {"server": {"id": "server-1"}}
        wire.on("POST", "/servers$", Reply(status=202, body=accepted, headers={"Date": f"{TUESDAY} GMT"}))

        assert compute.create(REQUEST).created.year == 2031
