"""What it takes to ask this cloud for bad days: the faults, the hold points, and the token without which nobody can."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from tasks.localcloud.faults.holds import Holds
from tasks.localcloud.faults.registry import Faults


@dataclass(frozen=True, kw_only=True)
class BadDays:
    """One cloud's faults and hold points; `control_token` opens its control API and nothing else."""

    faults: Faults = field(default_factory=Faults)
    holds: Holds = field(default_factory=Holds)
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    def accepts(self, token: str) -> bool:
        """Say whether somebody may use the control API."""
        return secrets.compare_digest(token.encode(), self.control_token.encode())
