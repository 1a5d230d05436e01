"""Left-overs: what is listed, and that nothing else ever is."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rollout.claims import Claim
from tasks.rollout.labels import NEXT_DEPLOY, Phase
from tasks.rollout.model import Condition, Spare
from tasks.rollout.reaping import Account, left_overs
from tasks.rollout.steps import Discard, RemoveGone, RetireServer
from tests.rollout.builders import HTTP, HTTPS, NEW, balancer, both, labelled, node, old, seen, server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER, LATER = ((NOON + timedelta(seconds=s)).isoformat() for s in (-1, 1))
IDLE = server(1, Phase.TESTED)
GONE = old(1)
OURS = {f"id-{HTTP.name}": {GONE.private_ip: "shop-1"}}


def claim(generation):
    """Give the claim of an operator who is at work on a generation."""
    return Claim(id="c", number=1, verb="deploy", generation=generation, owner="a@b", process="", since=NOON, beat=NOON)


def account(**changes):
    """Give an account in which nobody is at work, and all addresses are in use."""
    addresses = frozenset(f"10.0.{third}.{slot}" for third in (1, 2) for slot in range(10))
    values = {"now": NOON, "at_work": (), "addresses": addresses, "owners": {}, "spares": ()}
    return Account(**(values | changes))


def listed(state, **changes):
    """Give the steps that delete what is listed."""
    return [one.step for one in left_overs(state, account(**changes))]


class TestServers:
    def test_a_server_in_no_rotation_is_listed_with_its_age(self):
        """How far it has come, and since when it costs money."""
        (found,) = left_overs(seen(IDLE), account())

        assert (found.kind, found.name, found.since) == ("server", "shop-1", IDLE.created)
        assert found.why == "in no rotation (tested)"
        assert found.step == RetireServer(server_id="new-1")

    @pytest.mark.parametrize("condition", list(Condition))
    def test_a_server_with_a_node_is_not(self, condition):
        """On whichever load balancer, and in whatever condition: a rotation may have been interrupted."""
        known = balancer(node(IDLE, condition), listener=HTTPS)

        assert listed(seen(IDLE, balancers=[balancer(), known])) == []

    def test_servers_that_somebody_is_at_work_on_are_not(self):
        """They will be in rotation, or go, without our doing."""
        assert listed(seen(IDLE, old(1)), at_work=(claim(NEW),)) == [RetireServer(server_id="old-1")]

    @pytest.mark.parametrize(
        ("parked", "is_listed"), [(EARLIER, True), (NOON.isoformat(), True), (LATER, False), (NEXT_DEPLOY, False)]
    )
    def test_a_parked_server_is_listed_when_its_time_is_over(self, parked, is_listed):
        """Until then it is kept for a rollback; until the next deploy there is no such time."""
        assert bool(listed(seen(labelled(old(1), parked=parked)))) is is_listed

    @pytest.mark.parametrize("parked", ["for ever", "2026-01-01", "2026-01-01T00:00:00", "0"])
    def test_a_server_that_is_parked_until_no_time_is_kept(self, parked):
        """We have not written that: whoever did may have meant something by it."""
        assert listed(seen(labelled(old(1), parked=parked))) == []


class TestNodes:
    def test_a_node_whose_server_is_gone_is_listed(self):
        """We had added it, and no server of the account has its address any more."""
        (found,) = left_overs(seen(balancers=[balancer(node(GONE))]), account(addresses=frozenset(), owners=OURS))

        assert (found.kind, found.name) == ("node", f"10.0.1.1:8000 on {HTTP.name}")
        assert found.why == "its server shop-1 is gone"
        assert found.step == RemoveGone(balancer=HTTP.name, addresses=frozenset({"10.0.1.1"}))

    def test_a_node_that_somebody_else_has_added_is_not(self):
        """Whatever is behind it: on another load balancer we had one at that address."""
        state = seen(balancers=[balancer(node(GONE), listener=HTTPS)])

        assert listed(state, addresses=frozenset(), owners=OURS) == []

    def test_a_node_at_an_address_in_use_is_not(self):
        """The address may be another server's by now."""
        assert listed(seen(balancers=[balancer(node(GONE))]), owners=OURS) == []


@pytest.mark.parametrize("kind", ["keypair", "image"])
def test_keypairs_and_images_that_no_server_uses_are_listed(kind):
    """With their age, where the cloud tells it."""
    spare = Spare(kind=kind, id="1", name="shop-test", created=NOON - timedelta(days=9))

    (found,) = left_overs(seen(), account(spares=(spare,)))

    assert (found.kind, found.name, found.since) == (kind, "shop-test", spare.created)
    assert found.step == Discard(spare=spare)


def test_a_keypair_that_was_made_just_now_is_not():
    """A deploy makes it before its first server, which will use it."""
    spare = Spare(kind="keypair", id="1", name="shop-test", created=NOON - timedelta(seconds=5))

    assert listed(seen(), spares=(spare,)) == []


slots = st.integers(1, 4)


@given(
    servers=st.lists(st.tuples(st.sampled_from([old, server]), slots, st.sampled_from(["", LATER, EARLIER, "x"]))),
    nodes=st.lists(st.tuples(st.sampled_from([old, server]), slots, st.sampled_from(Condition))),
    foreign=st.sets(st.sampled_from(["10.0.1.1", "10.0.2.1", "10.0.1.4"])),
    busy=st.sampled_from([(), (NEW,)]),
)
def test_nothing_else_is_ever_listed(servers, nodes, foreign, busy):
    """No server that has a node, that somebody works on or that is kept, and no node of a server that is there."""
    state = seen(
        *{one.id: one for one in (labelled(make(slot), parked=parked) for make, slot, parked in servers)}.values(),
        balancers=both(*(node(make(slot), condition) for make, slot, condition in nodes)),
    )
    there = frozenset(one.private_ip for one in state.servers) | foreign
    ours = {one.id: {held.address: "x" for held in one.nodes if held.address not in foreign} for one in state.balancers}
    kept = {one.id for one in state.servers if one.labels.parked not in {"", EARLIER}}

    for step in listed(state, addresses=there, owners=ours, at_work=tuple(map(claim, busy))):
        match step:
            case RetireServer():
                gone = state.server(step.server_id)
                assert not any(one.nodes_of(gone) for one in state.balancers)
                assert gone.id not in kept
                assert gone.generation not in busy
            case RemoveGone():
                assert not step.addresses & there
                assert step.addresses <= ours[f"id-{step.balancer}"].keys()
            case _:
                raise AssertionError(step)
