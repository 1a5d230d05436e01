"""Taking the claim, on a cloud that others want to change as well."""

from dataclasses import replace

import pytest

from tasks.errors import Claimed, ClaimLost, DeployError
from tasks.rollout.claims import BEAT_SECONDS, CHOOSING, EXPIRY_SECONDS, FENCE_SECONDS
from tasks.rollout.model import ServerStatus
from tests.rollout.builders import old, server
from tests.rollout.taking_turns import Cloud, a_cloud, alive, claimant, standing_at


class TestTaking:
    def test_a_claim_that_nobody_else_wants_is_taken(self):
        """It stands in the metadata of the server that carries it, and changes may be made."""
        cloud = a_cloud()
        mine = claimant(cloud)

        mine.take("old-1")

        mine.ensure()
        assert (standing_at(cloud, "old-1"), standing_at(cloud, "old-2")) == (["a"], [])

    def test_nothing_may_be_changed_before_it_is_taken(self):
        """A deploy that has only servers of its own holds nothing."""
        with pytest.raises(ClaimLost, match="does not hold the claim"):
            claimant(a_cloud()).ensure()

    def test_a_claim_that_somebody_holds_is_refused(self):
        """It says who is at work and for how long; what was written is gone again, on whichever server it stood."""
        cloud = a_cloud()
        claimant(cloud, "b").take("old-2")
        cloud.turns.pause(7.0)

        with pytest.raises(Claimed, match=r"deploy of b@here \(begun 10 s ago") as refused:
            claimant(cloud, "a").take("old-1")

        assert "expires 60 s after" in refused.value.advice
        assert cloud.claims()["old-1"] == ()
        assert alive(cloud) == ["b"]

    def test_of_those_who_come_at_once_one_gets_it(self):
        """Neither has seen the other when they begin."""
        cloud = a_cloud()
        outcomes = []

        def act(name, carrier):
            try:
                claimant(cloud, name).take(carrier)
            except Claimed:
                outcomes.append("refused")
            else:
                outcomes.append("taken")

        cloud.turns.run(lambda: act("b", "old-2"), lambda: act("a", "old-1"))

        assert sorted(outcomes) == ["refused", "taken"]

    def test_those_who_are_choosing_are_waited_for(self):
        """They may choose a place before ours. Should one have died while choosing, his claim expires."""
        cloud = a_cloud()
        choosing = replace(claimant(cloud, "b").at_birth(1)[0], number=CHOOSING)
        cloud.note("old-2", choosing.item, choosing.to_value())

        mine = claimant(cloud, "a")

        def beat():
            for _ in range(8):
                cloud.turns.pause(BEAT_SECONDS)
                mine.beat()

        cloud.turns.run(lambda: mine.take("old-1"), beat)

        mine.ensure()
        assert cloud.turns.time >= EXPIRY_SECONDS
        assert alive(cloud) == ["a"]

    def test_those_who_only_wait_for_their_servers_are_no_hindrance(self):
        """They are not in the queue yet: a claim is taken before them, and it has a number like any other."""
        waiting = claimant(a_cloud(), "b").at_birth(1)
        cloud = Cloud(old(1), server(1, status=ServerStatus.BUILD, claims=waiting))
        mine = claimant(cloud, "a")

        mine.take("old-1")

        assert cloud.claims()["old-1"][0].number > CHOOSING
        cloud.turns.pause(FENCE_SECONDS - 1)
        mine.beat()
        cloud.turns.pause(FENCE_SECONDS - 1)
        mine.ensure()

    def test_a_claim_that_is_taken_late_is_as_fresh_as_any(self):
        """A first deploy can write its claim only when its first server is ACTIVE: others see it at work then."""
        cloud = a_cloud()
        mine = claimant(cloud)
        cloud.turns.pause(EXPIRY_SECONDS + 60)

        mine.take("old-1")

        assert alive(cloud) == ["a"]
        with pytest.raises(Claimed):
            claimant(cloud, "b").take("old-2")

    def test_an_answer_that_was_lost_does_no_harm(self):
        """The claim is written until it is known to stand there."""
        cloud = a_cloud()
        cloud.lost = [True, False, True, True]
        mine = claimant(cloud)

        mine.take("old-1")

        mine.ensure()
        assert alive(cloud) == ["a"]

    def test_a_claim_that_is_forgotten_is_written_again(self):
        """An acknowledged write that no list shows is not taken for done; in the end the cloud's failure is said."""
        cloud = a_cloud()
        cloud.note = lambda *_: None

        with pytest.raises(DeployError, match="not to be seen there") as failed:
            claimant(cloud).take("old-1")

        assert not isinstance(failed.value, Claimed)

    def test_what_takes_too_long_to_write_is_not_taken(self):
        """Others may have held the chooser for dead and gone on: a deploy as slow as that gives up its place."""
        cloud = a_cloud()
        delays = iter([0.0] * 4 + [EXPIRY_SECONDS])
        cloud.delay = lambda: next(delays, 0.0)

        with pytest.raises(DeployError, match="took longer") as failed:
            claimant(cloud).take("old-1")

        assert not isinstance(failed.value, ClaimLost), "its own servers have to go"
        assert alive(cloud) == []


class TestTakingOver:
    def test_a_claim_whose_heartbeat_has_stopped_is_taken_over(self):
        """After the expiry, with a message; what was left of it is gone."""
        cloud, said = a_cloud(), []
        claimant(cloud, "b").take("old-2")
        cloud.turns.pause(EXPIRY_SECONDS)

        claimant(cloud, "a", said=said).take("old-1")

        (text,) = said
        assert text.startswith("taking over from the deploy of b@here (begun 64 s ago, last heartbeat 63 s ago)")
        assert (standing_at(cloud, "old-1"), standing_at(cloud, "old-2")) == (["a"], [])

    def test_it_is_not_taken_over_a_moment_earlier(self):
        """As long as its owner may believe in it, it stands."""
        cloud = a_cloud()
        claimant(cloud, "b").take("old-2")
        cloud.turns.pause(EXPIRY_SECONDS - 4)

        with pytest.raises(Claimed):
            claimant(cloud, "a").take("old-1")

    def test_a_process_that_is_known_to_have_ended_is_not_waited_for(self):
        """On the same machine nobody waits for the expiry."""
        cloud = a_cloud()
        claimant(cloud, "b").take("old-2")

        claimant(cloud, "a", ended=("b",)).take("old-1")

        assert alive(cloud) == ["a"]

    def test_who_was_taken_over_does_not_go_on(self):
        """Should it only have slept: its claim is gone, and it is not regained."""
        cloud = a_cloud()
        theirs = claimant(cloud, "b")
        theirs.take("old-2")
        cloud.turns.pause(EXPIRY_SECONDS)
        claimant(cloud, "a").take("old-1")

        with pytest.raises(ClaimLost, match="could not be written for 40 s"):
            theirs.ensure()
        assert not theirs.regain()
        theirs.beat()
        assert alive(cloud) == ["a"]
