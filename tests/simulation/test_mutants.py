"""The simulation can fail: each of these mistakes, put into the code under test, breaks a law within a few seeds."""

from dataclasses import replace

import pytest

from tasks.rollout import claiming, deploying, on_balancers, planning, returning, rotating, undoing
from tasks.rollout.claims import Claim
from tasks.rollout.guard import Guard
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server
from tasks.rollout.on_servers import ServerActs
from tasks.rollout.site import Site
from tasks.rollout.steps import AwaitOnline, Migrate, RetireServer
from tests.simulation.test_seeds import played

SEEDS = range(3000)


def no_guard(patch):
    """Delete and change whatever is asked for."""
    for name in ("allow_delete", "allow_change", "allow_draining", "allow_removal"):
        patch.setattr(Guard, name, lambda *_args: None)


def no_check(patch):
    """Take a server for ready as soon as its tests have passed."""
    passed = Server.passed

    def skips(server, phase):
        return passed(passed(server, phase), Phase.READY) if phase is Phase.TESTED else passed(server, phase)

    patch.setattr(Server, "passed", skips)


def not_awaiting_online(patch):
    """Go on when new nodes are added, ONLINE or not."""
    bring_in = rotating._bring_in

    def hasty(*args):
        return (step for step in bring_in(*args) if not isinstance(step, AwaitOnline))

    patch.setattr(rotating, "_bring_in", hasty)


def not_awaiting_drained(patch):
    """Remove nodes as soon as they drain."""
    patch.setattr(rotating, "await_drained", lambda _servers, _seen: iter(()))


def impatient_drain(patch):
    """Wait for connections to end, but not for as long as the limit says."""
    await_drained = ServerActs.await_drained

    def short(acts, step, seen):
        return await_drained(replace(acts, limits=replace(acts.limits, drain=2.0)), step, seen)

    patch.setattr(ServerActs, "await_drained", short)


def undone_the_wrong_way_round(patch):
    """Undo by taking the new servers out first, and putting the old ones back after that; the guard would object."""
    patch.setattr(Guard, "_leaves_enough", lambda *_: None)
    for module in (deploying, returning, undoing):
        if hasattr(module, "revert"):
            patch.setattr(module, "revert", _new_out_first(module.revert))


def claims_ignored(patch):
    """Be the only operator in the world."""
    patch.setattr(Site, "living", lambda _site, _seen: ())
    patch.setattr(claiming.Claimant, "_refuse", lambda _claimant, _ahead: None)


def heartbeat_ignored(patch):
    """Take every claim for expired."""
    patch.setattr(Claim, "has_expired", lambda _claim, _now: True)


def no_heartbeat(patch):
    """Write the claim once and never again."""
    patch.setattr(claiming.Claimant, "beat", lambda _claimant: None)


def no_fence(patch):
    """Hold on to a claim that others may have taken over."""
    patch.setattr(claiming.Claimant, "_is_overdue", lambda _claimant: False)


def claims_kept(patch):
    """Never give a claim back."""
    patch.setattr(claiming.Claimant, "withdraw", lambda _claimant: None)


def old_deleted_first(patch):
    """Delete the old servers as soon as the new ones are ready, guard or no guard."""
    no_guard(patch)
    rotation = rotating.rotation

    def eager(goal, seen):
        return rotation(goal, seen) | {RetireServer(server_id=one.id) for one in rotating.others(goal, seen)}

    patch.setattr(planning, "rotation", eager)


def never_migrated(patch):
    """Say that the migrations ran, without running them."""
    staged = ServerActs._staged

    def idle(acts, step, server):
        if isinstance(step, Migrate):
            return replace(server, labels=replace(server.labels, migrated=True))
        return staged(acts, step, server)

    patch.setattr(ServerActs, "_staged", idle)


def migrated_on_every_server(patch):
    """Run the migrations on each new server."""

    def eager(server, slots):
        if server.phase is Phase.SET_UP and not server.labels.migrated and slots.seen.held:
            return iter((Migrate(server_id=server.id),))
        return next_stage(server, slots)

    next_stage = planning._next_stage
    patch.setattr(planning, "_next_stage", eager)


def every_node_is_ours(patch):
    """Change and remove all nodes of a load balancer together with the old ones."""
    patch.setattr(on_balancers, "_nodes", lambda balancer, _step: list(balancer.nodes))


def _new_out_first(revert):
    def wrong(goal, seen, live):
        return frozenset(rotating.take_out(seen.generation(goal.generation), seen)) or revert(goal, seen, live)

    return wrong


MUTANTS = (
    no_guard,
    no_check,
    not_awaiting_online,
    not_awaiting_drained,
    impatient_drain,
    undone_the_wrong_way_round,
    claims_ignored,
    heartbeat_ignored,
    no_heartbeat,
    no_fence,
    claims_kept,
    old_deleted_first,
    never_migrated,
    migrated_on_every_server,
    every_node_is_ours,
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_mistake_is_caught(mutant, monkeypatch):
    """Some seed that is well without the mistake is not with it."""
    assert any(is_caught(mutant, seed, monkeypatch) for seed in SEEDS)


def is_caught(mutant, seed, monkeypatch):
    """Say whether a seed breaks a law because of a mistake."""
    with monkeypatch.context() as patch:
        mutant(patch)
        failure, _ = played(seed)
    return bool(failure) and not played(seed)[0]
