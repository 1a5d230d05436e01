"""What a cloud does to a server that is ACTIVE already, as its metadata tells; until then it is not ours to touch.

RackConnect (v2) changes addresses, and the scripts of managed service levels log in and use the package manager
(Rackspace, "determine the RackConnect v2.0 automation status"; heat's contrib for Rackspace). Neither writes anything
on accounts without it, so only who asks for it may wait. Refuses to know how a server is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.cloud.profiles import Automation
from tasks.rollout.model import ServerStatus


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where an automation writes how far it is, and which of its words mean that it is over, well or badly."""

    key: str
    done: frozenset[str]
    failed: frozenset[str]


PROGRESS = {
    Automation.RACKCONNECT: Progress(
        key="rackconnect_automation_status",
        # UNPROCESSABLE: there is nothing to do for this server.
        done=frozenset({"DEPLOYED", "UNPROCESSABLE"}),
        failed=frozenset({"FAILED"}),
    ),
    Automation.MANAGED: Progress(
        key="rax_service_level_automation", done=frozenset({"Complete"}), failed=frozenset({"Build Error"})
    ),
}


def status(metadata: Mapping[str, str], wait_for: Iterable[Automation]) -> ServerStatus:
    """Say what an ACTIVE server with that metadata counts as: ACTIVE, BUILD or ERROR."""
    said = [(PROGRESS[automation], metadata.get(PROGRESS[automation].key)) for automation in wait_for]
    if any(word in progress.failed for progress, word in said):
        return ServerStatus.ERROR
    return ServerStatus.ACTIVE if all(word in progress.done for progress, word in said) else ServerStatus.BUILD


def fault(metadata: Mapping[str, str], wait_for: Iterable[Automation]) -> str:
    """Say which automation failed; empty when none did."""
    failed = [
        automation for automation in wait_for if metadata.get(PROGRESS[automation].key) in PROGRESS[automation].failed
    ]
    return "; ".join(f"{PROGRESS[one].key} is {metadata[PROGRESS[one].key]!r}" for one in failed)
