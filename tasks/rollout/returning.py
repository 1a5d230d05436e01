"""The verbs that go back: undoing an interrupted deploy, and putting the previous servers into rotation again."""

from __future__ import annotations

from functools import partial

from tasks.errors import CheckFailed, SettingsError, Unfinished
from tasks.rollout.deploying import bounded, revert_nodes, undo
from tasks.rollout.fleet import names
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.preflight import require_marked
from tasks.rollout.resuming import can_undo, interruption
from tasks.rollout.rollouts import Rollout
from tasks.rollout.rotating import is_known, is_sent_to, rotation, take_claim
from tasks.rollout.site import Site
from tasks.rollout.steps import ProbeOld


def abort(template: Goal, site: Site) -> Observation:
    """Undo the interrupted deploy: what served before it serves again, and its servers are deleted.

    :param template: any goal of the app and environment; what the interrupted one was for is read from its servers.
    :raises SettingsError: none was interrupted.
    :raises Claimed: it is at work, or another one is.
    :raises Unfinished: it can not be undone any more.
    """
    seen = site.observe_alone()
    require_marked(seen, site)
    found = interruption(seen, site.dead(seen))
    if found is None:
        raise SettingsError("no deploy was interrupted: there is nothing to abort", advice="`fab status` shows all.")
    if not can_undo(seen, found):
        raise Unfinished(
            f"the interrupted deploy {found.generation} can not be undone: of the {found.previous.count} servers that "
            "served before it, some are gone",
            advice="`fab deploy` goes on from what is there.",
        )
    with site.claiming("abort", found.generation) as claim:
        return undo(found, template, site, claim)


def parked_before(seen: Observation) -> tuple[Server, ...]:
    """Give the parked servers of the generation that served before the one that serves now; () unless all are there."""
    serving = [server for server in seen.servers if is_sent_to(server, seen)]
    newest = max(serving, key=lambda server: server.generation, default=None)
    if newest is None:
        return ()
    before = newest.labels.previous
    rest = seen.generation(before.generation)
    parked = tuple(one for one in rest if one.labels.parked and one.status is ServerStatus.ACTIVE)
    is_whole = 0 < before.count <= len(parked) and not any(is_known(server, seen) for server in parked)
    return parked if is_whole else ()


def rollback(goal: Goal, site: Site) -> Observation:
    """Put a parked generation back into rotation, and take what serves now out; migrations are not undone.

    On a failure what served is put back, and the parked servers are kept.

    :raises CheckFailed: a parked server does not answer its check; nothing was changed.
    """
    seen = site.observe_alone()
    require_marked(seen, site)
    with site.claiming("rollback", goal.generation) as claim:
        back = seen.generation(goal.generation)
        probes = (ProbeOld(server_id=server.id, moment=Moment.BEFORE) for server in back)
        loop = site.loop(goal, seen, Stakes(generation=goal.generation, claim=claim))
        loop.perform(frozenset({*take_claim(seen), *probes}))
        _refuse_unwell(back, loop.seen)
        goal, live = bounded(goal, loop.seen, site)
        planner = partial(rotation, goal)
        rollout = Rollout(goal=goal, site=site, planner=planner, undo=revert_nodes, live=live, claim=claim)
        return rollout.run(loop.seen)


def _refuse_unwell(servers: tuple[Server, ...], seen: Observation) -> None:
    wrong = {one: seen.probes[one.id, Moment.BEFORE] for one in servers if seen.probes[one.id, Moment.BEFORE]}
    if wrong:
        listed = "\n".join(f"  {server.name}: {problem}" for server, problem in wrong.items())
        raise CheckFailed(
            f"parked servers are not well, so nothing was changed:\n{listed}",
            server=names(tuple(wrong)),
            advice="`fab rollback --redeploy` puts the previous release on new servers.",
        )
