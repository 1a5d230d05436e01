"""What a server's metadata says of it: whose it is, how far it has come, and what is meant to become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

NEXT_DEPLOY = "next deploy"
"""Parked until the deploy after this one has gone well."""


class Phase(StrEnum):
    """How far a server has come, in this order; written to its metadata after each stage has passed."""

    BOOTING = "booting"
    SET_UP = "set-up"
    TESTED = "tested"
    READY = "ready"
    SERVING = "serving"

    def reached(self, other: Phase) -> bool:
        """Say whether this phase is `other` or a later one."""
        return self.place >= other.place

    @cached_property
    def place(self) -> int:
        """Its place in the order."""
        return list(Phase).index(self)

    @property
    def next(self) -> Phase | None:
        """The phase after this one; None after the last."""
        return next((phase for phase in Phase if phase.place == self.place + 1), None)


@dataclass(frozen=True)
class Predecessor:
    """Who served before, and how many they were: what a rollback goes back to. Empty when nobody did."""

    generation: str = ""
    release: str = ""
    count: int = 0

    @classmethod
    def read(cls, text: str) -> Predecessor:
        """Read what str() has written; nobody when it is something else."""
        generation, release, count = [*text.split(" "), "", "", ""][:3]
        return cls(generation, release, int(count)) if count.isdigit() else cls()

    def __str__(self) -> str:
        return f"{self.generation} {self.release} {self.count}" if self.generation else ""


NOBODY = Predecessor()


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What a server's metadata says: whose it is and how far it has come. Only servers that carry these are ours.

    :param previous: who served when this one's deploy began.
    :param sealed: nobody can log in any more.
    :param parked: kept running out of rotation for a rollback, until this time (ISO 8601, UTC) or NEXT_DEPLOY; empty
        when it is not parked.
    :param kept: kept out of rotation although it failed, for somebody to look at, until this time (ISO 8601, UTC);
        empty for all others.
    :param host_key: what is known of its SSH host key beside what its console says; only read here, never written.
    """

    app: str
    environment: str
    generation: str
    slot: int
    release: str
    phase: Phase
    previous: Predecessor = NOBODY
    migrated: bool = False
    sealed: bool = False
    parked: str = ""
    kept: str = ""
    host_key: str = ""

    def to_metadata(self) -> dict[str, str]:
        """Give the metadata items, all strings, as Nova wants them."""
        return {
            "app": self.app,
            "environment": self.environment,
            "generation": self.generation,
            "slot": str(self.slot),
            "release": self.release,
            "phase": self.phase.value,
            "migrated": "yes" if self.migrated else "no",
            "sealed": "yes" if self.sealed else "no",
            "previous": str(self.previous),
            "parked": self.parked,
            "kept": self.kept,
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> Labels | None:
        """Read a server's metadata; None when it is not complete and valid, so that the server counts as foreign."""
        try:
            return cls(
                app=metadata["app"],
                environment=metadata["environment"],
                generation=metadata["generation"],
                slot=int(metadata["slot"]),
                release=metadata["release"],
                phase=Phase(metadata["phase"]),
                migrated=metadata.get("migrated") == "yes",
                sealed=metadata.get("sealed") == "yes",
                previous=Predecessor.read(metadata.get("previous", "")),
                parked=metadata.get("parked", ""),
                kept=metadata.get("kept", ""),
                host_key=metadata.get("host_key", ""),
            )
        except (KeyError, ValueError):
            return None
