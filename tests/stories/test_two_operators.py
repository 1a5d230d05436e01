"""Two people with a machine each, and one cloud: whatever they start at once, one of them changes what serves."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.stories.colleagues import ROTATION, Changes, Office, at_once, behind, deployed, held
from tests.stories.conftest import an_office
from tests.stories.operators import Ran, ended

pytestmark = pytest.mark.timeout(300)
AT_WORK = r"the (?P<verb>\w+) of \S+@\S+ \(begun \d+ s ago, last heartbeat \d+ s ago\) is at work"
REFUSAL = re.compile(f"{AT_WORK}; nothing that serves was changed")
CHANGING = ("deploy", "rotate", "servers.retire", "reap --yes", "rollback", "abort")


def sides(rans: list[Ran]) -> tuple[Ran, Ran]:
    """Give who went on, and who did not."""
    winner, loser = sorted(rans, key=lambda ran: ran.code)
    assert (winner.code, loser.code) == (0, 6), "\n".join(ran.text for ran in rans)
    return winner, loser


def both_deploy(office: Office) -> list[Ran]:
    """Let both deploy a release of their own, in the same moment."""
    gate = office.host.folder / "deployed"
    ann, bob = office.ann.releasing("ada", **behind(gate)), office.bob.releasing("bob", **behind(gate))
    return at_once(gate, (ann, "deploy"), (bob, "deploy"))


@pytest.mark.both_faces
def test_two_deploys_in_one_second(face: str, office: Office):
    """One goes on; the other exits 6, says who is at work, and leaves nothing; one rotation, no request fails."""
    with office.visited() as (traffic, changes):
        winner, loser = sides(both_deploy(office))

    assert REFUSAL.search(loser.stderr)
    assert "Traceback" not in loser.text
    assert office.disorder(deployed(winner.stdout)) == []
    assert changes.seen() == [ROTATION[face]] * 2
    assert traffic.failed == []


def test_two_first_deploys_in_one_second(face: str, caches: Path):
    """On an empty cloud, too, one goes on, the other exits 6 and leaves nothing; there is one site in the end."""
    with an_office(face, caches) as office:
        winner, loser = sides(both_deploy(office))

        assert REFUSAL.search(loser.stderr)
        assert office.disorder(deployed(winner.stdout)) == []
        assert {office.cloud.page(address).release for address in office.cloud.addresses()} == {deployed(winner.stdout)}


def test_two_rotations_in_one_second(face: str, office: Office):
    """Of two who put the same ready servers into rotation one does it, and the other exits 6; no request fails."""
    gate = office.host.folder / "rotated"
    ready, same = (one.releasing("ready", **behind(gate)) for one in (office.ann, office.bob))
    ready.manages("servers.create")
    ready.manages("setup", "migrate", "test", "check")
    with office.visited() as (traffic, changes):
        winner, loser = sides(at_once(gate, (ready, "rotate"), (same, "rotate")))
    [release] = {server.metadata["release"] for server in office.cloud.servers().values()}

    assert "2 servers serve" in winner.stdout
    assert REFUSAL.search(loser.stderr)
    assert office.disorder(release) == []
    assert changes.seen() == [ROTATION[face]] * 2
    assert traffic.failed == []


def test_whatever_is_done_during_a_deploy(face: str, office: Office):
    """During a deploy every verb of others that changes something exits 6, names the deploy, and changes nothing."""
    with office.visited() as (traffic, changes), held(office.ann, "busy") as busy:
        before = office.cloud.servers().keys(), office.cloud.nodes()
        rans = {verb: office.bob.releasing("bob").fab(*verb.split()) for verb in CHANGING}
        after = office.cloud.servers().keys(), office.cloud.nodes()
        ran = busy.goes_on()

    assert {verb: ran.code for verb, ran in rans.items()} == dict.fromkeys(CHANGING, 6)
    assert {verb: REFUSAL.findall(ran.stderr) for verb, ran in rans.items()} == {verb: ["deploy"] for verb in CHANGING}
    assert after == before
    assert ran.code == 0, ran.text
    assert office.disorder(deployed(ran.stdout)) == []
    assert changes.seen() == [ROTATION[face]] * 2
    assert traffic.failed == []


def test_one_who_waits(face: str, office: Office):
    """With `--wait` a deploy says for whom it waits, and goes on when that one is done; no request fails."""
    with office.visited() as (traffic, changes), held(office.ann, "ada") as first:
        second = office.bob.releasing("bob").start("fab", "deploy", "--wait")
        said = heard(second, "is at work; waiting for up to 1800 s")
        rans = [first.goes_on(), ended(second)]

    assert [ran.code for ran in rans] == [0, 0], "\n".join(ran.text for ran in rans)
    assert office.disorder(deployed(said)) == []
    assert changes.seen() == [ROTATION[face] * 2] * 2
    assert traffic.failed == []


def heard(process: subprocess.Popen[str], words: str) -> str:
    """Read what a program prints until it says these words."""
    assert process.stdout
    lines: list[str] = []
    while not lines or words not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], f"it never said {words!r}: {''.join(lines)}"
    return "".join(lines)


@pytest.mark.told_on  # no face: it takes more than a minute
def test_a_machine_that_slept(face: str, office: Office):
    """The deploy of a machine that sleeps is taken over a minute later; awake again it changes nothing and exits 6."""
    with office.visited() as (traffic, _), held(office.ann, "sleepy") as sleepy:
        os.killpg(sleepy.process.pid, signal.SIGSTOP)
        awake = office.bob.releasing("awake").fab("deploy", "--wait")
        order = office.cloud.servers().keys(), office.cloud.nodes()
        changes = Changes(office.host)
        os.killpg(sleepy.process.pid, signal.SIGCONT)
        ran = sleepy.goes_on()

    assert awake.code == 0, awake.text
    assert "taking over from the deploy of" in awake.stdout
    assert ran.code == 6, ran.text
    assert "another deploy may have taken over" in ran.stderr
    assert changes.seen() == []
    assert (office.cloud.servers().keys(), office.cloud.nodes()) == order
    assert office.disorder(deployed(awake.stdout)) == []
    assert traffic.failed == []
