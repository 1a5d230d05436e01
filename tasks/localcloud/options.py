"""What the person who starts a local cloud may choose; travels from `up` to the daemon as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Self

from tasks.localcloud.faults.build_times import BuildSeconds

START_SECONDS = 30.0
"""A daemon that has not come up by then gives up, and so does whoever waits for it."""


class IsolationChoice(StrEnum):
    """How servers are kept apart: `auto` takes the best that the machine allows."""

    AUTO = "auto"
    PROCESSES = "processes"


class Face(StrEnum):
    """Which cloud the APIs look like.

    `rackspace`: identity v2.0 and v3, compute, images, Cloud Load Balancers. `openstack`: identity v3, compute, images,
    network, Octavia. `both`: all of these.
    """

    RACKSPACE = "rackspace"
    OPENSTACK = "openstack"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class Options:
    """The choices; `pending_seconds` is how long a load balancer stays in PENDING_UPDATE at least.

    Builds take `build_seconds` longer than they need; `seed` repeats their times.
    """

    region: str = "ORD"
    ssh_port: int = 2222
    pending_seconds: float = 0.2
    isolation: IsolationChoice = IsolationChoice.AUTO
    face: Face = Face.BOTH
    build_seconds: BuildSeconds = field(default_factory=BuildSeconds)
    seed: int | None = None

    def to_json(self) -> str:
        """Write the choices on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        read = {
            "isolation": IsolationChoice(fields["isolation"]),
            "face": Face(fields["face"]),
            "build_seconds": BuildSeconds(**fields["build_seconds"]),
        }
        return cls(**{**fields, **read})
