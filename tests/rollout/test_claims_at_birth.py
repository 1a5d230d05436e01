"""Claims that new servers are born with, and what is left of those who died."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.rollout.claims import EXPIRY_SECONDS, WAITING, Claim
from tasks.rollout.contenders import MOST_BUILD_TIME, dead
from tasks.rollout.model import ServerStatus
from tests.rollout.builders import old, server
from tests.rollout.taking_turns import EPOCH, STRANGER, Cloud, a_cloud, alive, claimant, ids


class TestBirth:
    def test_new_servers_carry_the_claim_until_another_one_does(self):
        """Without any server to write to, a deploy is seen by those that it is making; after that, by the first one."""
        cloud = a_cloud()
        mine = claimant(cloud)

        assert ids(mine.at_birth(1)) == ids(mine.at_birth(2)) == ["a"]
        mine.take("old-1")
        assert ids(mine.at_birth(1)) == ["a"]
        assert mine.at_birth(2) == ()

    @pytest.mark.parametrize(
        ("status", "silent", "expected"),
        [
            (ServerStatus.BUILD, timedelta(minutes=20), ["a"]),
            (ServerStatus.BUILD, MOST_BUILD_TIME + timedelta(seconds=1), []),
            (ServerStatus.ACTIVE, timedelta(seconds=EXPIRY_SECONDS - 1), ["a"]),
            (ServerStatus.ACTIVE, timedelta(seconds=EXPIRY_SECONDS), []),
        ],
    )
    def test_it_lives_while_its_server_is_being_built(self, status, silent, expected):
        """Nova takes no metadata then. Afterwards it has to be taken within the expiry."""
        claim = replace(claimant(a_cloud()).at_birth(1)[0], since=EPOCH - silent, beat=EPOCH - silent)
        cloud = Cloud(server(1, status=status, claims=(claim,)))

        assert alive(cloud) == expected

    def test_it_lives_on_when_its_server_was_built_just_now(self):
        """The status of the server has changed after the last heartbeat."""
        begun = EPOCH - timedelta(minutes=5)
        claim = replace(claimant(a_cloud()).at_birth(1)[0], since=begun, beat=begun)
        cloud = Cloud(server(1, claims=(claim,), updated=EPOCH - timedelta(seconds=5)))

        assert alive(cloud) == ["a"]

    def test_a_claim_that_has_a_heartbeat_lives_by_that_alone(self):
        """A server that still builds does not keep the claim of a dead operator alive who had taken it elsewhere."""
        waiting = replace(claimant(a_cloud()).at_birth(1)[0], beat=EPOCH - timedelta(minutes=5))
        taken = replace(waiting, number=1, beat=EPOCH - timedelta(seconds=EXPIRY_SECONDS))
        cloud = Cloud(old(1, claims=(taken,)), server(1, status=ServerStatus.BUILD, claims=(waiting,)))

        assert alive(cloud) == []
        assert ids(dead(cloud.servers(), cloud, STRANGER)) == ["a"]

    def test_it_is_dead_when_its_process_has_ended(self):
        """On the machine where it ran."""
        claim = claimant(a_cloud()).at_birth(1)[0]
        cloud = Cloud(server(1, status=ServerStatus.BUILD, claims=(claim,)))

        assert alive(cloud, replace(STRANGER, has_ended=lambda process: process == "a")) == []


class TestTheDead:
    def test_the_latest_is_first(self):
        """It says what was interrupted last."""
        claims = [
            Claim(id=name, number=WAITING, verb="deploy", generation=name, owner="", process="", since=EPOCH, beat=beat)
            for name, beat in [("b", EPOCH - timedelta(hours=2)), ("a", EPOCH - timedelta(hours=1))]
        ]
        cloud = Cloud(old(1, claims=tuple(replace(one, number=1) for one in claims)))

        assert ids(dead(cloud.servers(), cloud, STRANGER)) == ["a", "b"]
