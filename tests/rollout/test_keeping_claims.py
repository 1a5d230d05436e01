"""Keeping the claim: its heartbeat, moving it from server to server, giving it back."""

import pytest

from tasks.errors import ClaimLost, DeployError
from tasks.rollout.claims import CHOOSING, FENCE_SECONDS, Claim
from tests.rollout.builders import old, server
from tests.rollout.taking_turns import a_cloud, alive, claimant, standing_at


class TestKeeping:
    def test_the_heartbeat_keeps_it(self):
        """For as long as it beats, however long that is."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")

        for _ in range(20):
            cloud.turns.pause(FENCE_SECONDS - 1)
            mine.beat()

        mine.ensure()
        assert alive(cloud) == ["a"]

    def test_without_a_heartbeat_nothing_is_changed(self):
        """The owner gives up well before others may take over."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.turns.pause(FENCE_SECONDS + 1)

        with pytest.raises(ClaimLost):
            mine.ensure()
        assert alive(cloud) == ["a"]

    def test_a_heartbeat_that_comes_too_late_does_not_bring_it_back(self):
        """When a write was under way for so long that others may have taken over, only a look at them can tell."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.turns.pause(FENCE_SECONDS - 5)
        delays = iter([15.0])
        cloud.delay = lambda: next(delays, 0.0)

        mine.beat()

        with pytest.raises(ClaimLost):
            mine.ensure()

    def test_a_lost_claim_that_nobody_wanted_is_regained(self):
        """After a machine's sleep in which nobody else came."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.turns.pause(1000.0)

        assert mine.regain()
        mine.ensure()
        assert alive(cloud) == ["a"]

    @pytest.mark.parametrize("number", [CHOOSING, 1, 2])
    def test_a_lost_claim_that_somebody_wants_is_not_regained(self, number):
        """Whoever has come meanwhile goes first, also if he is only choosing."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.turns.pause(1000.0)
        newcomer = Claim(
            id="b", number=number, verb="deploy", generation="h", owner="b@here", process="b",
            since=cloud.now(), beat=cloud.now(),
        )  # fmt: skip
        cloud.note("old-2", newcomer.item, newcomer.to_value())

        assert not mine.regain()

    def test_a_claim_that_no_server_can_carry_is_not_regained(self):
        """It had to leave a server that was deleted, no other one took it, and it stands nowhere."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        mine.leave(old(1), [])
        cloud.remove("old-1")

        assert not mine.regain()

    def test_a_heartbeat_goes_to_another_server_when_the_first_is_gone(self):
        """Somebody has deleted the one that carried the claim."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.remove("old-1")

        mine.beat()

        assert standing_at(cloud, "old-2") == ["a"]
        mine.ensure()

    def test_it_tells_what_is_being_done_now(self):
        """The next operator reads what was interrupted."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")

        mine.rename("undo", "h")
        mine.beat()

        (claim,) = cloud.claims()["old-1"]
        assert (claim.verb, claim.generation) == ("undo", "h")


class TestMoving:
    def test_it_moves_before_its_server_is_deleted(self):
        """To the first of the others: at no moment it stands nowhere."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")

        mine.leave(old(1), [old(2)])

        assert standing_at(cloud, "old-2") == ["a"]
        cloud.remove("old-1")
        mine.beat()
        mine.ensure()
        assert alive(cloud) == ["a"]

    def test_it_passes_over_a_server_that_is_gone(self):
        """An heir may be deleted just now."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")

        mine.leave(old(1), [old(9), old(2)])

        assert standing_at(cloud, "old-2") == ["a"]

    def test_it_stays_when_another_server_is_deleted(self):
        """Only its own carrier matters."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        before = list(cloud.written)

        mine.leave(old(2), [old(1)])

        assert cloud.written == before

    def test_when_its_server_vanishes_it_is_lost(self):
        """Somebody has deleted the server behind our back: nothing is changed once the heartbeat is overdue."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        cloud.remove("old-1")

        mine.beat()
        cloud.turns.pause(FENCE_SECONDS + 1)

        with pytest.raises(ClaimLost):
            mine.ensure()


class TestGivingBack:
    def test_it_is_erased_wherever_it_stands(self):
        """Also from the servers that were born with it."""
        cloud = a_cloud()
        mine = claimant(cloud)
        cloud.put(server(1, claims=mine.at_birth(1)))
        mine.take("old-1")

        mine.withdraw()

        assert set(cloud.claims().values()) == {()}
        with pytest.raises(ClaimLost):
            mine.ensure()

    def test_a_late_heartbeat_does_not_write_it_again(self):
        """What was given back stays so."""
        cloud = a_cloud()
        mine = claimant(cloud)
        mine.take("old-1")
        mine.withdraw()

        mine.beat()

        assert alive(cloud) == []

    def test_a_cloud_that_does_not_answer_is_no_failure(self):
        """The claim expires by itself; that is said."""
        cloud, said = a_cloud(), []
        mine = claimant(cloud, said=said)
        mine.take("old-1")
        cloud.servers = cloud.erase = refuse

        mine.withdraw()

        assert said == ["the claim could not be given back, it expires in 60 s: no"]


def refuse(*_):
    """Fail as a cloud does."""
    raise DeployError("no")
