"""The guard: what it lets pass, and what it never does."""

from dataclasses import replace

import pytest

from tasks.errors import ClaimLost, GuardRefused, NotFound, TooFew
from tasks.rollout.guard import Guard, Stakes
from tasks.rollout.model import Condition, NodeStatus
from tests.rollout.builders import HTTP, NEW, OLD, balancer, labelled, node, old, server

OFFLINE, DRAINING = NodeStatus.OFFLINE, Condition.DRAINING


class Account:
    """The cloud as the guard asks it: our servers, and everybody's load balancers."""

    def __init__(self, *servers, balancers=(), addresses=(), owners=()):
        self.by_id = {one.id: one for one in servers}
        self.balancers = balancers
        self.in_use = frozenset(addresses)
        self.added = dict.fromkeys(owners, "shop-1")

    def server(self, server_id):
        """Show one of ours."""
        if server_id not in self.by_id:
            raise NotFound(f"{server_id} is gone")
        return self.by_id[server_id]

    def addresses(self):
        """Give the addresses of all servers."""
        return self.in_use

    def find(self, listeners):
        """Find ours."""
        return tuple(one for one in self.balancers if one.name in {listener.name for listener in listeners})

    def knowing(self, address):
        """Say which load balancers have a node at an address."""
        return tuple(one.name for one in self.balancers if any(node.address == address for node in one.nodes))

    def owners(self, _balancer_id):
        """Say for whom nodes were added."""
        return self.added


class Lost:
    """A claim that is not ours any more."""

    def ensure(self):
        """Say so."""
        raise ClaimLost("lost")


def guard(account, **stakes):
    """Give the guard of a rollout with these stakes."""
    return Guard(
        app="shop", environment="test", listeners=(HTTP,), compute=account, balancers=account, stakes=Stakes(**stakes)
    )


class TestDeleting:
    def test_an_own_server_that_nobody_knows_may_be_deleted(self):
        """No load balancer of the account has a node at its address."""
        guard(Account(old(1))).allow_delete(old(1))

    @pytest.mark.parametrize("labels", [{"app": "blog"}, {"environment": "production"}])
    def test_a_foreign_server_is_never_deleted(self, labels):
        """Another app's, or the same app's in another environment: what its metadata says now is what counts."""
        with pytest.raises(GuardRefused, match="belongs to"):
            guard(Account(labelled(old(1), **labels))).allow_delete(old(1))

    def test_a_server_that_is_gone_is_not_found(self):
        """Nor is one whose metadata does not say any more that it is ours."""
        with pytest.raises(NotFound):
            guard(Account()).allow_delete(old(1))

    @pytest.mark.parametrize("condition", list(Condition))
    def test_a_server_that_any_load_balancer_of_the_account_knows_is_not_deleted(self, condition):
        """Also when the load balancer is not one of our listeners, and in whatever condition its node is."""
        somebodys = balancer(node(old(1), condition), listener=replace(HTTP, name="somebody-elses"))

        with pytest.raises(GuardRefused, match="somebody-elses still has a node"):
            guard(Account(old(1), balancers=(somebodys,))).allow_delete(old(1))

    @pytest.mark.parametrize(("status", "enough"), [(NodeStatus.ONLINE, True), (OFFLINE, False)])
    def test_a_server_that_was_live_goes_only_when_others_serve_in_its_place(self, status, enough):
        """On every load balancer there are as many as at the start; a node that is OFFLINE does not serve."""
        account = Account(old(1), balancers=(balancer(node(server(1), status=status)),))
        stakes = {"live": frozenset({"old-1"}), "floors": {HTTP.name: 1}}

        if enough:
            guard(account, **stakes).allow_delete(old(1))
        else:
            with pytest.raises(TooFew, match="1 are the fewest"):
                guard(account, **stakes).allow_delete(old(1))

    def test_a_server_that_was_not_live_may_go_at_any_time(self):
        """A new server that serves nothing is no loss, however few serve."""
        guard(Account(server(1), balancers=(balancer(),)), floors={HTTP.name: 1}).allow_delete(server(1))

    def test_without_the_claim_only_its_own_servers_may_be_deleted(self):
        """The servers that a deploy has made itself go, so that one that is refused leaves nothing behind."""
        theirs, ours = old(1), server(1)

        guard(Account(theirs, ours), generation=NEW, claim=Lost()).allow_delete(ours)
        with pytest.raises(ClaimLost):
            guard(Account(theirs, ours), generation=NEW, claim=Lost()).allow_delete(theirs)


class TestNodes:
    def test_a_node_that_gets_requests_is_not_removed(self):
        """Draining comes first."""
        present = guard(Account())

        with pytest.raises(GuardRefused, match="still ENABLED"):
            present.allow_removal((old(1),), frozenset({"10.0.1.1"}), balancer(node(old(1))))
        present.allow_removal((old(1),), frozenset({"10.0.1.1"}), balancer(node(old(1), DRAINING)))

    def test_a_foreign_node_is_not_removed(self):
        """An address that is none of our servers'."""
        with pytest.raises(GuardRefused, match="no server of ours"):
            guard(Account()).allow_removal((old(1),), frozenset({"10.0.1.1", "10.9.9.9"}), balancer())

    def test_no_node_is_drained_when_too_few_others_of_ours_serve(self):
        """Those that drain, are OFFLINE, leave by this very change or are foreign do not serve in its place."""
        gone, resting, dead, foreign = (old(slot) for slot in (1, 2, 3, 4))
        held = balancer(node(gone), node(resting, DRAINING), node(dead, status=OFFLINE), node(foreign))
        ours = frozenset({"10.0.1.1", "10.0.1.2", "10.0.1.3"})
        present = guard(Account(), floors={HTTP.name: 1})

        with pytest.raises(TooFew, match="to 0 nodes"):
            present.allow_draining(frozenset({"10.0.1.1"}), held, ours)
        present.allow_draining(frozenset({"10.0.1.2"}), held, ours)

    def test_no_node_is_removed_when_too_few_others_of_ours_serve(self):
        """Counted in the same way."""
        gone, resting, dead, foreign = (old(slot) for slot in (1, 2, 3, 4))
        held = balancer(node(gone, DRAINING), node(resting, DRAINING), node(dead, status=OFFLINE), node(foreign))

        with pytest.raises(TooFew, match="to 0 nodes"):
            guard(Account(), floors={HTTP.name: 1}).allow_removal((gone, resting, dead), frozenset({"10.0.1.1"}), held)

    @pytest.mark.parametrize(
        ("change", "values"),
        [
            ("allow_change", ()),
            ("allow_draining", (frozenset(), balancer(), frozenset())),
            ("allow_removal", ((), frozenset(), balancer())),
            ("allow_removal_of_gone", (frozenset(), balancer())),
        ],
    )
    def test_no_node_is_changed_without_the_claim(self, change, values):
        """At most one deploy changes who gets requests."""
        with pytest.raises(ClaimLost):
            getattr(guard(Account(), claim=Lost()), change)(*values)

    def test_a_node_whose_server_is_gone_may_be_removed(self):
        """It was added for a server of ours, and no server of the account has its address."""
        guard(Account(owners={"10.0.1.1"})).allow_removal_of_gone(frozenset({"10.0.1.1"}), balancer(node(old(1))))

    @pytest.mark.parametrize(
        "account",
        [Account(), Account(owners={"10.0.1.1"}, addresses={"10.0.1.1"})],
        ids=["it was not added by us", "a server has its address"],
    )
    def test_a_node_that_may_be_somebodys_stays(self, account):
        """Addresses are given out again: what was ours may be another's by now."""
        with pytest.raises(GuardRefused, match="foreign, or its server is there"):
            guard(account).allow_removal_of_gone(frozenset({"10.0.1.1"}), balancer(node(old(1))))


def test_generations_are_told_apart():
    """The specifications above speak of two."""
    assert (old(1).generation, server(1).generation) == (OLD, NEW)
