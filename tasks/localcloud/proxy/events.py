"""What Envoy wrote down about its backends' health: who went out of rotation, when and why, and who came back.

Reads Envoy's event file; keeps nothing and decides nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tasks.localcloud.proxy.admin import endpoint
from tasks.localcloud.proxy.frontends import Endpoint, Health

HEALTH_LOG = "health.log"
FAILURES = {"NETWORK": "nothing accepted the connection", "NETWORK_TIMEOUT": "no answer in time"}


@dataclass(frozen=True, kw_only=True)
class HealthEvent:
    """A backend's health has changed."""

    number: int
    frontend: str
    backend: Endpoint
    health: Health
    when: datetime
    reason: str


def health_events(log: Path) -> Iterator[HealthEvent]:
    """List all changes of health, oldest first."""
    if not log.exists():
        return
    for number, line in enumerate(log.read_text().splitlines(), start=1):
        entry = json.loads(line)
        if change := change_in(entry):
            health, reason = change
            yield HealthEvent(
                number=number,
                frontend=entry["cluster_name"],
                backend=endpoint({"address": entry["host"]}),
                health=health,
                when=datetime.fromisoformat(entry["timestamp"]),
                reason=reason,
            )


def change_in(entry: dict[str, Any]) -> tuple[Health, str] | None:
    """Tell what an entry means; the first success of a new backend is no change, since it was taken for well."""
    if failure := entry.get("eject_unhealthy_event"):
        return Health.OFFLINE, f"the health monitor's attempts have failed: {seen_in(failure)}"
    if (failure := entry.get("health_check_failure_event")) and failure["first_check"]:
        return Health.OFFLINE, f"the health monitor's first attempt has failed: {seen_in(failure)}"
    if (success := entry.get("add_healthy_event")) and not success["first_check"]:
        return Health.ONLINE, "the health monitor's attempt has succeeded"
    return None


def seen_in(failure: dict[str, Any]) -> str:
    """Tell what the last attempt has seen."""
    if status := failure.get("http_status_code"):
        return f"HTTP status {status}"
    return FAILURES.get(failure.get("failure_type", ""), "the answer was not as expected")
