"""Left-overs: what is ours, costs money and serves nobody. Listing them is pure; nothing else is ever listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.errors import Unfinished
from tasks.rollout.claims import Claim
from tasks.rollout.goal import Goal
from tasks.rollout.guard import Stakes
from tasks.rollout.model import LoadBalancer, Server, Spare
from tasks.rollout.observation import Observation
from tasks.rollout.preflight import require_marked
from tasks.rollout.resuming import interruption
from tasks.rollout.reverting import has_begun, is_complete
from tasks.rollout.rotating import is_known, take_claim
from tasks.rollout.site import Site
from tasks.rollout.steps import Discard, RemoveGone, RetireServer, Step

YOUNG = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class LeftOver:
    """Something to be deleted.

    :param kind: server, node, keypair or image.
    :param since: when it was made; None when nobody tells.
    :param step: what deletes it.
    """

    kind: str
    name: str
    why: str
    since: datetime | None
    step: Step


@dataclass(frozen=True, kw_only=True)
class Account:
    """What has to be known beside an observation to tell a left-over.

    :param now: on the cloud's clock.
    :param at_work: the claims of operators that are at work: what they work on is theirs.
    :param addresses: of all servers of the account.
    :param owners: by load balancer id, the names of the servers that our nodes were added for, by address.
    """

    now: datetime
    at_work: tuple[Claim, ...]
    addresses: frozenset[str]
    owners: Mapping[str, Mapping[str, str]]
    spares: tuple[Spare, ...]


def left_overs(seen: Observation, account: Account) -> tuple[LeftOver, ...]:
    """Give everything of ours that serves nobody and that nobody is at work on or keeps for a rollback."""
    return (
        *_servers(seen, account),
        *(one for balancer in seen.balancers for one in _nodes(balancer, account)),
        *(_spare(spare) for spare in account.spares if _is_old(spare, account.now)),
    )


def survey(site: Site, seen: Observation) -> tuple[LeftOver, ...]:
    """Ask the cloud for what tells left-overs, and list them."""
    ours = [balancer for balancer in seen.balancers if site.balancers.is_ours(balancer.id)]
    account = Account(
        now=site.compute.now(),
        at_work=site.living(seen),
        addresses=site.compute.addresses(),
        owners={balancer.id: site.balancers.owners(balancer.id) for balancer in ours},
        spares=site.compute.spares(),
    )
    return left_overs(seen, account)


def look(_template: Goal, site: Site) -> tuple[LeftOver, ...]:
    """Give all left-overs, and change nothing."""
    return survey(site, site.observe())


def reap(template: Goal, site: Site) -> tuple[LeftOver, ...]:
    """Delete all left-overs, and give them.

    :raises Claimed: another operator is at work.
    :raises Unfinished: a deploy was interrupted in its rotation: what is left of it is still of use.
    """
    seen = site.observe_alone()
    require_marked(seen, site)
    _refuse_half_rotated(template, seen, site)
    with site.claiming("reap", "") as claim:
        stakes = Stakes(claim=claim)
        loop = site.loop(template, seen, stakes)
        able = take_claim(seen)
        loop.perform(able)
        found = survey(site, loop.seen)
        # Without a server that could carry a claim there is nothing that serves, and nobody to be in the way of.
        site.loop(template, loop.seen, stakes if able else Stakes()).perform(_together(found))
        return found


def _refuse_half_rotated(template: Goal, seen: Observation, site: Site) -> None:
    """Whoever takes the claim takes over from the dead, and then nobody would know what to finish or to undo."""
    found = interruption(seen, site.dead(seen))
    its = found.goal(template) if found else None
    if found and its and has_begun(its, seen) and not is_complete(its, seen):
        raise Unfinished(
            f"the {found.claim.verb} of {found.claim.owner} was interrupted in its rotation; nothing was deleted",
            advice="`fab deploy` goes on with it or `fab abort` undoes it; after that, see what is left over.",
        )


def _together(found: tuple[LeftOver, ...]) -> frozenset[Step]:
    """Give the steps, one for each load balancer: it takes one change at a time."""
    nodes: dict[str, frozenset[str]] = {}
    for one in found:
        if isinstance(one.step, RemoveGone):
            nodes[one.step.balancer] = nodes.get(one.step.balancer, frozenset()) | one.step.addresses
    rest = (one.step for one in found if not isinstance(one.step, RemoveGone))
    return frozenset({*rest, *(RemoveGone(balancer=name, addresses=gone) for name, gone in nodes.items())})


def _servers(seen: Observation, account: Account) -> Iterator[LeftOver]:
    busy = {claim.generation for claim in account.at_work}
    for server in seen.everyone:
        why = "" if is_known(server, seen) or server.generation in busy else _why_idle(server, account.now)
        if why:
            step = RetireServer(server_id=server.id)
            yield LeftOver(kind="server", name=server.name, why=why, since=server.created, step=step)


def _why_idle(server: Server, now: datetime) -> str:
    if server.labels.kept:
        expiry = server.kept_until
        return f"failed, and was kept until {server.labels.kept}" if expiry and expiry <= now else ""
    if not server.labels.parked:
        return f"in no rotation ({server.phase})"
    until = server.parked_until
    return f"was parked until {server.labels.parked}" if until and until <= now else ""


def _nodes(balancer: LoadBalancer, account: Account) -> Iterator[LeftOver]:
    owners = account.owners.get(balancer.id, {})
    for node in balancer.nodes:
        if node.address in owners and node.address not in account.addresses:
            step = RemoveGone(balancer=balancer.name, addresses=frozenset({node.address}))
            why = f"its server {owners[node.address]} is gone"
            name = f"{node.address}:{node.port} on {balancer.name}"
            yield LeftOver(kind="node", name=name, why=why, since=None, step=step)


def _is_old(spare: Spare, now: datetime) -> bool:
    """Say whether it is none that a deploy has just made, whose first server is still to come."""
    return spare.created is None or now - spare.created >= YOUNG


def _spare(spare: Spare) -> LeftOver:
    step = Discard(spare=spare)
    return LeftOver(kind=spare.kind, name=spare.name, why="no server uses it", since=spare.created, step=step)
