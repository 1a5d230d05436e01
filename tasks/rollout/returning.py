"""The verbs that go back: undoing an interrupted deploy, and putting the previous servers into rotation again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from tasks.errors import CheckFailed, SettingsError, Unfinished
from tasks.rollout.beginning import bounded, taken
from tasks.rollout.deploying import deploy, revert_nodes
from tasks.rollout.fleet import names
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.labels import Predecessor
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Moment, Observation
from tasks.rollout.preflight import require_marked
from tasks.rollout.resuming import can_undo, interruption
from tasks.rollout.rollouts import Rollout
from tasks.rollout.rotating import is_known, is_sent_to, rotation, take_claim
from tasks.rollout.site import Site
from tasks.rollout.steps import ProbeOld
from tasks.rollout.undoing import missing_before, undo


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
        seen = taken(template, seen, site, claim)
        unwell = missing_before(found, template, seen, site)
        if unwell:
            raise Unfinished(
                f"the interrupted deploy {found.generation} can not be undone: what served before it is not well",
                advice="`fab deploy` goes on from what is there.",
            )
        return undo(found, template, site, claim, seen)


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """What a rollback goes back to.

    :param previous: who served before.
    :param serving: the servers that serve now.
    :param parked: the previous servers, where all of them are kept; without them its release gets new servers.
    """

    previous: Predecessor
    serving: tuple[Server, ...]
    parked: tuple[Server, ...] = ()

    @property
    def redeployed(self) -> WayBack:
        """The same way on new servers, whatever is kept."""
        return replace(self, parked=())


def way_back(seen: Observation) -> WayBack:
    """Say what a rollback would go back to.

    :raises SettingsError: nothing serves, nothing served before, or both do so now.
    """
    serving = _serving(seen)
    newest = _newest(seen)
    if newest is None:
        raise SettingsError("nothing serves, so there is nothing to go back from", advice="`fab deploy` makes servers.")
    previous = newest.labels.previous
    if not previous.release:
        raise SettingsError(
            f"nothing served before generation {newest.generation}: there is nothing to go back to",
            advice="`fab deploy --release REVISION` deploys an older revision of the app.",
        )
    if any(server.generation == previous.generation for server in serving):
        raise SettingsError(
            f"generations {previous.generation} and {newest.generation} both serve: a deploy is at work, or was "
            "interrupted",
            advice="`fab status` says which; `fab abort` undoes an interrupted one.",
        )
    return WayBack(previous=previous, serving=serving, parked=parked_before(seen))


def go_back(back: WayBack, goal: Goal, site: Site) -> Observation:
    """Go back: put the parked servers into rotation again or, without any, deploy the previous release.

    :raises DeployError: as `rollback` and `deploy` do.
    """
    return rollback(goal, site) if back.parked else deploy(goal, site)


def parked_before(seen: Observation) -> tuple[Server, ...]:
    """Give the parked servers of the generation that served before the one that serves now; () unless all are there."""
    newest = _newest(seen)
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


def _serving(seen: Observation) -> tuple[Server, ...]:
    return tuple(server for server in seen.servers if is_sent_to(server, seen))


def _newest(seen: Observation) -> Server | None:
    """Give one server of the newest generation that serves."""
    return max(_serving(seen), key=lambda server: server.generation, default=None)
