"""Rebooting a server through the API, and waiting until the cloud says that it runs."""

from __future__ import annotations

from tasks.errors import BuildFailed
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.ports import Compute
from tasks.waiting import Clock, Patience, until


def reboot(server: Server, compute: Compute, clock: Clock, *, limit: float) -> None:
    """Reboot a server; return when it is ACTIVE.

    It may be seen as ACTIVE before the reboot has begun: whoever logs in next has to tell the boots apart.

    :param limit: how long it may take, in seconds.
    :raises BuildFailed: it is in ERROR.
    :raises TimedOut: it is not ACTIVE within the limit.
    """

    def look() -> bool | None:
        now = compute.server(server.id)
        if now.status is ServerStatus.ERROR:
            raise BuildFailed(f"{server.name} did not come back from its reboot; the cloud says: {now.fault}")
        return True if now.status is ServerStatus.ACTIVE else None

    compute.reboot(server.id)
    until(look, what=f"{server.name} to reboot", patience=Patience(limit=limit), clock=clock)
