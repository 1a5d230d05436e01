"""Who claims beside us, and how alive they are: read from the metadata of servers, judged by the cloud's clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tasks.errors import Claimed
from tasks.rollout.claims import EXPIRY_SECONDS, WAITING, Claim, standing
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.ports import Compute

MOST_BUILD_TIME = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who acts.

    :param new_id: gives a new claim's id, which nobody else has.
    :param owner: user@host.
    :param process: names the process that runs this.
    :param has_ended: says of another claim's process whether it is known to have ended.
    """

    owner: str
    process: str
    new_id: Callable[[], str]
    has_ended: Callable[[str], bool]


def living(servers: Iterable[Server], compute: Compute, operator: Operator, *, but: str = "") -> tuple[Claim, ...]:
    """Give the claims that are neither expired nor of a process that is known to have ended, but one."""
    now = compute.now()
    found = standing(_dated(claim, server, now) for server in servers for claim in server.claims)
    alive = (claim for claim in found if not claim.has_expired(now) and not operator.has_ended(claim.process))
    return tuple(claim for claim in alive if claim.id != but)


def dead(servers: Iterable[Server], compute: Compute, operator: Operator) -> tuple[Claim, ...]:
    """Give the claims of those who have ended without saying so, the latest first."""
    servers = tuple(servers)
    alive = {claim.id for claim in living(servers, compute, operator)}
    found = standing(claim for server in servers for claim in server.claims)
    return tuple(sorted((claim for claim in found if claim.id not in alive), key=lambda one: one.beat, reverse=True))


def carries(server: Server, claim: Claim) -> bool:
    """Say whether a server's metadata has a copy of a claim."""
    return claim.id in {carried.id for carried in server.claims}


def _dated(claim: Claim, server: Server, now: datetime) -> Claim:
    """Give a claim with its last sign of life.

    Nova takes no metadata for a server that is being built: a claim that was born with one is alive as long as that
    goes on, within reason, and a while longer.
    """
    if claim.number != WAITING or now - claim.since > MOST_BUILD_TIME:
        return claim
    sign = now if server.status is ServerStatus.BUILD else max(claim.beat, server.updated or claim.beat)
    return replace(claim, beat=sign)


def refusal(claim: Claim, compute: Compute) -> Claimed:
    """Give the error that says who is at work."""
    return Claimed(
        f"{at_work(claim, compute)}; nothing that serves was changed",
        advice=f"`--wait` waits for it. Should it be dead, its claim expires {EXPIRY_SECONDS:g} s after its last "
        "heartbeat, and the next deploy takes over.",
    )


def at_work(claim: Claim, compute: Compute) -> str:
    """Say who is at work, since when, and when he was last heard of."""
    return f"{whose(claim, compute)} is at work"


def whose(claim: Claim, compute: Compute) -> str:
    """Say whose a claim is, how old, and when its owner was last heard of."""
    now = compute.now()
    age, silent = ((now - time).total_seconds() for time in (claim.since, claim.beat))
    return f"the {claim.verb} of {claim.owner} (begun {age:.0f} s ago, last heartbeat {silent:.0f} s ago)"
