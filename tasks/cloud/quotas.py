"""How much room a project has left for servers (compute api-ref, limits)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.cloud.offers import Offer


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much of something is used and allowed; `allowed` is None when there is no limit."""

    used: int
    allowed: int | None

    def lacks(self, more: int) -> bool:
        """Say whether `more` of it would be too much."""
        return self.allowed is not None and self.used + more > self.allowed


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a project may have. RAM in MiB."""

    servers: Room
    cores: Room
    ram: Room

    def problems(self, flavor: Offer, extra_servers: int) -> list[str]:
        """Say for which quota `extra_servers` more of that flavor are too many."""
        needs = (
            ("servers", self.servers, extra_servers),
            ("cores", self.cores, extra_servers * flavor.cores),
            ("MiB of RAM", self.ram, extra_servers * flavor.ram),
        )
        return [
            f"the quota is too small for {extra_servers} more servers: {room.used} of {room.allowed} {what} are used, "
            f"{more} more are needed"
            for what, room, more in needs
            if room.lacks(more)
        ]


def read(absolute: Mapping[str, Any]) -> Limits:
    """Read Nova's absolute limits, in which -1 means no limit."""
    return Limits(
        servers=_room(absolute, "totalInstancesUsed", "maxTotalInstances"),
        cores=_room(absolute, "totalCoresUsed", "maxTotalCores"),
        ram=_room(absolute, "totalRAMUsed", "maxTotalRAMSize"),
    )


def _room(absolute: Mapping[str, Any], used: str, allowed: str) -> Room:
    most = int(absolute.get(allowed, -1))
    return Room(used=int(absolute.get(used, 0)), allowed=None if most < 0 else most)
