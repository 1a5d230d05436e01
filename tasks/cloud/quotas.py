"""How much room a project has left for servers (compute api-ref, limits)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.cloud.offers import Offer
from tasks.findings import Finding, fine, wrong


@dataclass(frozen=True, kw_only=True)
class Room:
    """How much of something is used and allowed; `allowed` is None when there is no limit."""

    used: int
    allowed: int | None

    def lacks(self, more: int) -> bool:
        """Say whether `more` of it would be too much."""
        return self.allowed is not None and self.used + more > self.allowed

    def times(self, each: int) -> int | None:
        """Say how many things fit that need `each` of it; None when there is no end."""
        return None if self.allowed is None or not each else max(self.allowed - self.used, 0) // each


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a project may have. RAM in MiB.

    :param files: how many files may be injected into a server, each of `file_size` bytes at most.
    """

    servers: Room
    cores: Room
    ram: Room
    files: int
    file_size: int

    def findings(self, flavor: Offer, extra_servers: int) -> list[Finding]:
        """Say for each quota whether `extra_servers` more of that flavor fit into it."""
        needs = (
            ("servers", self.servers, extra_servers),
            ("cores", self.cores, extra_servers * flavor.cores),
            ("MiB of RAM", self.ram, extra_servers * flavor.ram),
        )
        return [_finding(what, room, more, extra_servers) for what, room, more in needs]

    def more(self, flavor: Offer) -> int | None:
        """Say how many more servers of that flavor there may be; None when there is no limit."""
        fitting = (self.servers.times(1), self.cores.times(flavor.cores), self.ram.times(flavor.ram))
        return min((number for number in fitting if number is not None), default=None)

    def on_files(self, files: Mapping[str, bytes]) -> Finding:
        """Say whether these files, by path, can be injected into a server."""
        what, remedy = "injected files", 'set another `bootstrap` than "cron"'
        if len(files) > self.files:
            can = f"at most {self.files}" if self.files else "none"
            wanted = f'bootstrap = "cron" needs {len(files)} files injected into each server'
            return wrong(what, f"{wanted}, and this cloud takes {can}", remedy)
        large = [
            f"{path} has {len(content)} bytes; this cloud injects files of at most {self.file_size}"
            for path, content in files.items()
            if len(content) > self.file_size
        ]
        return wrong(what, "; ".join(large), remedy) if large else fine(what, f"{len(files)} are taken")


def _finding(what: str, room: Room, more: int, servers: int) -> Finding:
    quota, use = f"quota of {what}", f"{room.used} of {room.allowed} {what} are used, {more} more are needed"
    if room.lacks(more):
        seen = f"the quota is too small for {servers} more servers: {use}"
        return wrong(quota, seen, "have it raised, lower `count`, choose a smaller `server.flavor`, or see `fab reap`")
    return fine(quota, use if room.allowed is not None else "there is no limit")


def read(absolute: Mapping[str, Any]) -> Limits:
    """Read Nova's absolute limits, in which -1 means no limit."""
    return Limits(
        servers=_room(absolute, "totalInstancesUsed", "maxTotalInstances"),
        cores=_room(absolute, "totalCoresUsed", "maxTotalCores"),
        ram=_room(absolute, "totalRAMUsed", "maxTotalRAMSize"),
        # Not named by a cloud that injects no files, such as any from microversion 2.57 on.
        files=_most(absolute, "maxPersonality"),
        file_size=_most(absolute, "maxPersonalitySize"),
    )


def _most(absolute: Mapping[str, Any], name: str) -> int:
    most = int(absolute.get(name, 0))
    return sys.maxsize if most < 0 else most


def _room(absolute: Mapping[str, Any], used: str, allowed: str) -> Room:
    most = int(absolute.get(allowed, -1))
    return Room(used=int(absolute.get(used, 0)), allowed=None if most < 0 else most)
