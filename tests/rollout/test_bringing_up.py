"""The planner up to ready servers: booting, replacing, migrating once, testing and checking."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import WrongHostKey
from tasks.rollout.labels import Phase
from tasks.rollout.model import ServerStatus
from tasks.rollout.planning import bring_up, is_migrated, plan
from tasks.rollout.steps import (
    Check,
    CreateServer,
    GiveUp,
    Migrate,
    ReplaceBuild,
    RetireServer,
    SetUp,
    TestApp,
    WatchBuilds,
)
from tests.rollout.builders import NEW, both, goal, node, old, seen, server
from tests.rollout.reachable import states
from tests.rollout.shuffled import pursue

BUILDING = ServerStatus.BUILD
LATER = datetime(2026, 3, 1, tzinfo=UTC)


class TestBringingUp:
    def test_every_slot_without_a_server_is_asked_for_at_once(self):
        """Servers are asked for side by side, not one after another."""
        assert plan(goal(count=3), seen()) == {CreateServer(slot=1), CreateServer(slot=2), CreateServer(slot=3)}

    def test_builds_are_watched_together(self):
        """However many servers are being built, one step looks at them."""
        first, second = (server(slot, Phase.BOOTING, status=BUILDING) for slot in (1, 2))

        assert plan(goal(), seen(first, second)) == {WatchBuilds(server_ids=frozenset({"new-1", "new-2"}))}

    def test_a_server_that_boots_first_is_set_up_first(self):
        """Stages are no barriers: one server is set up while another is still being built."""
        up, building = server(1, Phase.BOOTING), server(2, Phase.BOOTING, status=BUILDING)

        assert plan(goal(), seen(up, building)) == {
            SetUp(server_id="new-1"),
            WatchBuilds(server_ids=frozenset({"new-2"})),
        }

    @pytest.mark.parametrize(
        ("phase", "migrated", "step"),
        [
            (Phase.BOOTING, False, SetUp),
            (Phase.SET_UP, False, Migrate),
            (Phase.SET_UP, True, TestApp),
            (Phase.TESTED, True, Check),
        ],
    )
    def test_the_leader_goes_from_stage_to_stage(self, phase, migrated, step):
        """The server of slot 1 is set up, migrates, is tested and checked, in this order."""
        leader = server(1, phase, migrated=migrated)

        assert plan(goal(count=1), seen(leader)) == {step(server_id="new-1")}

    def test_only_the_leader_migrates(self):
        """The migrations run once: other servers go on to their tests."""
        leader, other = server(1, Phase.BOOTING), server(2, Phase.SET_UP)

        assert plan(goal(), seen(leader, other)) == {SetUp(server_id="new-1"), TestApp(server_id="new-2")}

    def test_no_server_is_checked_before_the_migrations_ran(self):
        """A tested server waits with starting the app until the leader has migrated."""
        leader, other = server(1, Phase.SET_UP), server(2, Phase.TESTED)

        assert plan(goal(), seen(leader, other)) == {Migrate(server_id="new-1")}

    def test_tested_servers_are_no_dead_end(self):
        """Where the one that had migrated is gone, and all others are tested already, the first one migrates."""
        state = seen(server(1, Phase.TESTED), server(2, Phase.TESTED))

        assert plan(goal(), state) == {Migrate(server_id="new-1")}

    def test_a_failed_build_is_replaced(self):
        """A build that dies is deleted, and its slot is asked for again."""
        dead = server(1, Phase.BOOTING, status=ServerStatus.ERROR)

        assert plan(goal(count=1), seen(dead)) == {ReplaceBuild(server_id="new-1", slot=1)}
        assert plan(goal(count=1), seen(died={1: 1})) == {CreateServer(slot=1)}

    def test_builds_are_replaced_a_bounded_number_of_times(self):
        """The third dead build of a slot ends the deploy, with the cloud's words."""
        dead = server(1, Phase.BOOTING, status=ServerStatus.ERROR, fault="No valid host was found")

        assert plan(goal(count=1, build_attempts=3), seen(dead, died={1: 2})) == {
            GiveUp(slot=1, fault="No valid host was found")
        }

    def test_a_server_that_cannot_be_trusted_is_replaced(self):
        """It is treated as a dead build, whatever stage it is at: nothing more is run on it."""
        wrong = {"new-1": WrongHostKey("another key", server="shop-1")}
        state = seen(server(1, Phase.SET_UP), server(2, Phase.SET_UP), distrusted=wrong)

        assert plan(goal(), state) == {ReplaceBuild(server_id="new-1", slot=1), TestApp(server_id="new-2")}

    def test_servers_that_cannot_be_trusted_are_replaced_a_bounded_number_of_times(self):
        """Where a man in the middle stays, the deploy ends, with the words of the last refusal."""
        state = seen(
            server(1, Phase.BOOTING), died={1: 2}, distrusted={"new-1": WrongHostKey("another key", server="shop-1")}
        )

        assert plan(goal(count=1, build_attempts=3), state) == {GiveUp(slot=1, fault="another key")}

    def test_a_second_server_of_a_slot_is_retired(self):
        """When a lost answer has made two servers of one slot, one is kept."""
        one, double = server(1), server(1, id="a-late", private_ip="10.0.2.99", created=LATER)

        assert bring_up(goal(count=1), seen(one, double)) == {RetireServer(server_id="a-late")}

    @pytest.mark.parametrize("phase", [Phase.BOOTING, Phase.SET_UP, Phase.READY])
    def test_the_same_one_of_two_is_kept_whatever_happens_first(self, phase):
        """What was seen last does not decide: the other one may be being deleted already."""
        one, double = server(1, Phase.BOOTING), server(1, Phase.BOOTING, id="new-1b", private_ip="10.0.2.99")
        state = seen(one, double).updated(server(1, phase))

        assert RetireServer(server_id="new-1b") in bring_up(goal(count=1), state)
        assert RetireServer(server_id="new-1") not in bring_up(goal(count=1), state)

    def test_of_two_servers_of_a_slot_the_one_in_rotation_is_kept(self):
        """The guard would not let it go, whichever was made first."""
        one, double = server(1), server(1, id="new-1b", private_ip="10.0.2.99")

        assert bring_up(goal(count=1), seen(one, double, balancers=both(node(double)))) == {
            RetireServer(server_id="new-1")
        }

    def test_of_two_servers_of_a_slot_the_sound_one_is_kept(self):
        """One that cannot be used is no reason to delete one that can."""
        dead, sound = server(1, status=ServerStatus.ERROR), server(1, id="new-1b", private_ip="10.0.2.99")

        assert bring_up(goal(count=1), seen(dead, sound)) == {RetireServer(server_id="new-1")}

    def test_old_servers_are_left_alone_until_the_new_ones_are_ready(self):
        """While anything of the new generation is unfinished, no step concerns a node or a server of the old one."""
        state = seen(server(1), server(2, Phase.SET_UP), old(1), balancers=both(node(old(1))))

        assert plan(goal(), state) == {TestApp(server_id="new-2")}

    @pytest.mark.parametrize("status", list(ServerStatus))
    def test_every_server_status_leads_somewhere(self, status):
        """No status of a server leaves the deploy without a next step."""
        assert plan(goal(count=1), seen(server(1, Phase.BOOTING, status=status)))


@given(states())
def test_only_ready_servers_leave_nothing_to_do(case):
    """There is no next step only when every slot that there is room for has one server, which is READY and ACTIVE."""
    wanted, state = case

    if not bring_up(wanted, state):
        slots = [one.labels.slot for one in state.generation(NEW)]
        assert len(slots) == len(set(slots))
        assert len(slots) == wanted.count or len(state.servers) >= wanted.bounds.servers
        assert all(one.status is ServerStatus.ACTIVE for one in state.generation(NEW))
        assert all(one.phase.reached(Phase.READY) for one in state.generation(NEW))


@given(case=states(), random=st.randoms(use_true_random=False))
def test_servers_are_brought_up_from_any_state(case, random):
    """In whatever order steps end: the quota is kept, and the migrations run at most once."""
    wanted, state = case
    migrations = []

    def law(step, before, after):
        assert len(after.servers) <= max(len(before.servers), wanted.bounds.servers or 99)
        if isinstance(step, Migrate):
            migrations.append(step)
            assert before.held

    def planner(now):
        bag = bring_up(wanted, now)
        assert is_migrated(wanted, now) or not any(isinstance(step, Check) for step in bag)
        return bag

    end, acts = pursue(planner, wanted, state, random=random, law=law)

    assert not bring_up(wanted, end)
    assert acts < 80
    assert len(migrations) <= 1
