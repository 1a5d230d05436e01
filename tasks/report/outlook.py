"""What is going on beside what serves, in sentences: who is at work, what was interrupted, what is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from tasks.report.times import ago, span
from tasks.report.wording import counted
from tasks.rollout.claims import Claim
from tasks.rollout.labels import NEXT_DEPLOY, Phase
from tasks.rollout.model import Server
from tasks.rollout.outlook import Interrupted, Outlook, Rotation
from tasks.rollout.resuming import Way, is_finished

ROTATION = {
    Rotation.NOT_BEGUN: "Its rotation had not begun: what served before it serves on.",
    Rotation.BEGUN: "Its rotation had begun.",
    Rotation.COMPLETE: "Its servers are all in rotation.",
}


def told(outlook: Outlook) -> Iterator[str]:
    """Give what there is to say, a paragraph each."""
    for claim in outlook.at_work:
        yield at_work(claim, outlook.now)
    if outlook.interrupted:
        yield interrupted(outlook.interrupted, outlook.now)
    if outlook.parked:
        yield kept(outlook.parked, outlook.now)
    for server in outlook.kept:
        yield failed(server, outlook.now)


def at_work(claim: Claim, now: datetime) -> str:
    """Say who is at work."""
    return f"{_whose(claim)} is at work: {_times(claim, now)}."


def interrupted(found: Interrupted, now: datetime) -> str:
    """Say what was interrupted, how far it had come, and what can be done about it."""
    interruption = found.found
    phases = Counter(server.phase for server in interruption.servers)
    states = ", ".join(f"{phases[phase]} {phase}" for phase in Phase if phases[phase])
    release = interruption.servers[0].labels.release
    return (
        f"{_whose(interruption.claim)} was interrupted: {_times(interruption.claim, now)}.\n"
        f"  There are {counted(len(interruption.servers), 'server')} of it, release {release}: {states}.\n"
        f"  {ROTATION[found.rotation]}\n"
        f"  {_next_deploy(found)}\n"
        f"  {_abort(found)}"
    )


def kept(servers: tuple[Server, ...], now: datetime | None = None) -> str:
    """Say which servers a rollback puts back, and for how long they are there."""
    labels = servers[0].labels
    return (
        f"{counted(len(servers), 'server')} of release {labels.release}, out of rotation, kept "
        f"{until(labels.parked, now)}: `fab rollback` puts {'it' if len(servers) == 1 else 'them'} back."
    )


def failed(server: Server, now: datetime) -> str:
    """Say of a server that failed until when it is kept, and what deletes it."""
    expiry = server.kept_until
    if expiry and expiry <= now:
        end = f"was kept until {_clock(expiry)}: `fab reap --yes` deletes it"
    else:
        end = f"is kept {until(server.labels.kept, now)}: `fab servers.retire --server {server.name}` deletes it"
    return f"{server.name} ({server.private_ip or 'no address'}) failed, serves nobody and {end}."


def until(parked: str, now: datetime | None = None) -> str:
    """Say until when a server is parked. Nobody deletes it in that moment: the next deploy does, or `fab reap`."""
    if parked == NEXT_DEPLOY:
        return f"until the {NEXT_DEPLOY}"
    try:
        time = datetime.fromisoformat(parked)
        _clock(time)
    except (ValueError, OverflowError):
        return f"until {parked}"
    if time.tzinfo is None:  # metadata that somebody else has written
        return f"until {parked}"
    if now and time <= now:
        return f"until the next deploy or `fab reap --yes` (the time was {_clock(time)})"
    return f"until {_clock(time)}{f' ({span(time - now)} from now)' if now else ''}"


def _clock(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _whose(claim: Claim) -> str:
    return f"The {claim.verb} of {claim.owner}"


def _times(claim: Claim, now: datetime) -> str:
    return f"begun {ago(claim.since, now)}, last heartbeat {ago(claim.beat, now)}"


def _next_deploy(found: Interrupted) -> str:
    same, other = _way(found.same, found), _way(found.other, found)
    if same == other:
        return f"The next `fab deploy` {same}."
    return f"`fab deploy` of the same release {same}, of another one {other}."


def _way(way: Way, found: Interrupted) -> str:
    ready = sum(1 for server in found.found.servers if is_finished(server))
    match way:
        case Way.RESUME:
            return f"goes on with it ({counted(ready, 'server')} can be used)"
        case Way.UNDO:
            return "undoes it first"
        case Way.FRESH:
            return "takes its servers away when new ones serve"


def _abort(found: Interrupted) -> str:
    if found.can_abort:
        return "`fab abort` undoes it: what served before serves again, and its servers are deleted."
    return "It can not be undone any more: some of the servers that served before it are gone."
