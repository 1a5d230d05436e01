"""Bad days, each by its name: a deploy over what serves, under load, on a cloud that misbehaves as it was told to."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.localcloud.faults.names import FaultName
from tests.stories.colleagues import Office, deployed
from tests.stories.conftest import an_office
from tests.stories.operators import Operator, Ran

pytestmark = pytest.mark.timeout(300)
NODES = {"rackspace": "/nodes", "openstack": "/members"}
LOST = "the answer to creating .* was lost"
AGAIN = r"(answered|no answer) .* asking again in \d"


@dataclass(frozen=True, kw_only=True)
class BadDay:
    """What goes wrong, and what is told of it.

    :param fault: as it is asked for; `NODES` stands for what paths to a load balancer's nodes have in common.
    :param said: a pattern that just one line of what the operator reads has; empty where nothing is worth a line.
    :param settings: other than usual.
    """

    fault: str
    said: str
    settings: dict[str, Any]

    def words(self, face: str) -> list[str]:
        """Give what is typed after `fab local.fault`."""
        return self.fault.replace("NODES", NODES[face]).split()

    def lines(self, ran: Ran) -> list[str]:
        """Give the lines that tell of it."""
        return [line for line in ran.text.splitlines() if re.search(self.said, line)] if self.said else []


def day(fault: str, said: str = "", *faces: str, **settings: Any) -> Any:
    """Give a story's bad day, told on these faces in any run."""
    marks = pytest.mark.told_on(*faces)
    return pytest.param(BadDay(fault=fault, said=said, settings=settings), id=fault, marks=marks)


MENDED = [
    day("build-dies", "is replaced: it could not be built", "openstack"),
    day("build-hangs", r"is replaced: it could not be built \(still BUILD after 8 s\)", limits__build=8),
    day("build-slow --seconds 3"),
    day("create-500", f"{LOST}.*asked for again"),
    day("create-500-but-created", f"{LOST}.*it exists and is used", "rackspace"),
    day("create-late --seconds 4", f"{LOST}.*it exists and is used"),
    day("api-500 --match GET", AGAIN),
    day("api-500 --match NODES"),
    day("api-503 --match GET --seconds 1", AGAIN),
    day("api-500-but-done --match NODES --times 2", "", "rackspace"),
    day("api-500-but-done --match metadata --times 2"),
    day("api-timeout --match GET --seconds 1", AGAIN),
    day("api-timeout-but-done --match NODES --seconds 1"),
    day("over-limit --seconds 1", AGAIN),
    day("balancer-busy --times 3 --seconds 2", "", "openstack"),
    day("node-flaps --seconds 2"),
    day("delete-hangs --seconds 3"),
    day("delete-500 --times 2"),
    day("console-late --seconds 3"),
    day("stale-lists --times 6 --seconds 3", "", "rackspace"),
    day("metadata-lost --times 3"),
    day("ssh-refused --seconds 2"),
    day("ssh-silent --seconds 2"),
    day("ssh-drops --seconds 0", "is replaced: no SSH connection to .* it was lost while", "openstack"),
    day("ssh-slow-start --seconds 3"),
]
CLEAN = [
    day("ssh-drops --seconds 0 --match migrate", "it was lost while migrate ran", commands__migrate="true migrate"),
    day("server-dies --after 2 --seconds 1", "no SSH connection to", "rackspace", limits__ssh=8),
]


@contextmanager
def struck(host: Operator, words: list[str]) -> Iterator[None]:
    """Arm a fault, and expect that it strikes; it is forgotten afterwards."""
    host.manages("local.fault", *words)
    try:
        yield
        listed = host.manages("local.fault", "--list").stdout
    finally:
        host.manages("local.fault", "--clear")
    assert re.search(rf"{words[0]}: .*; struck [1-9]", listed), listed


@pytest.mark.parametrize("day", MENDED)
def test_a_deploy_goes_through(face: str, office: Office, day: BadDay):
    """The deploy makes good for it: it exits 0, tells of it once or not at all, no request fails, nothing is left."""
    with office.visited() as (traffic, _), struck(office.host, day.words(face)):
        ran = office.ann.releasing(release(day), **day.settings).fab("deploy")

    assert ran.code == 0, ran.text
    assert len(day.lines(ran)) == bool(day.said), ran.text
    assert office.disorder(deployed(ran.stdout)) == []
    assert traffic.failed == []


@pytest.mark.parametrize("day", CLEAN)
def test_a_deploy_fails_cleanly(face: str, office: Office, day: BadDay):
    """The deploy exits 4 and says what went wrong once; what served serves on, and nothing new is left."""
    before = office.cloud.servers().keys(), office.cloud.nodes()
    with office.visited() as (traffic, _), struck(office.host, day.words(face)):
        ran = office.ann.releasing(release(day), **day.settings).fab("deploy")

    assert ran.code == 4, ran.text
    assert len(day.lines(ran)) == bool(day.said), ran.text
    assert "Traceback" not in ran.text
    assert (office.cloud.servers().keys(), office.cloud.nodes()) == before
    assert traffic.failed == []


@pytest.mark.told_on("openstack")
def test_a_load_balancer_that_breaks(face: str, caches: Path):
    """When a change leaves a load balancer in ERROR, the deploy says so, and what served goes on serving."""
    with an_office(face, caches) as office:
        office.ann.releasing("first").manages("deploy")
        served = office.cloud.servers().keys()
        with office.visited() as (traffic, _), struck(office.host, ["balancer-error"]):
            ran = office.ann.releasing("second").fab("deploy")
            seen = office.cloud.page().server

        assert ran.code in {5, 7}, ran.text
        assert "ERROR" in ran.stderr
        assert "Traceback" not in ran.text
        assert served <= office.cloud.servers().keys()
        assert seen in served
        assert traffic.failed == []


def test_every_fault_has_its_story():
    """There is no fault that no story is told of."""
    told = {param.values[0].fault.split()[0] for param in MENDED + CLEAN} | {"balancer-error"}

    assert told == set(FaultName)


def release(day: BadDay) -> str:
    """Name a release after a bad day."""
    return re.sub(r"\W+", "-", day.fault)
