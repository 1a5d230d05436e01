"""Steps by the names that a journal has for them: which stage they belong to, and what to write on a bar."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.report.journals import Line
from tasks.report.wording import STAGES

OTHER = "other"
STAGE_OF: Mapping[str, str] = {kind.__name__: stage for kind, stage in STAGES.items()} | {
    "TakeClaim": "claim",
    "CreateServer": "boot",
    "ReplaceBuild": "retire",
    "ProbeOld": "probe",
    "ProbeNew": "probe",
    "GiveUp": OTHER,
    "GiveUpRoom": OTHER,
    "CreateBalancer": "rotate in",
    "SetCondition": "rotate out",
    "AwaitOnline": "rotate in",
    "RemoveNodes": "rotate out",
    "RemoveGone": "rotate out",
    "RunHook": OTHER,
    "MarkServing": "mark",
    "Park": "retire",
    "Keep": "retire",
    "Discard": "retire",
}
DOING: Mapping[str, str] = {
    "TakeClaim": "take the claim",
    "CreateServer": "create",
    "GiveUp": "give up",
    "WatchBuilds": "wait until built",
    "ReplaceBuild": "delete, to be replaced",
    "SetUp": "set up",
    "Migrate": "migrate",
    "TestApp": "test",
    "Check": "check",
    "ProbeOld": "ask for its check",
    "ProbeNew": "ask for its check",
    "GiveUpRoom": "give up for want of room",
    "CreateBalancer": "create",
    "AddNodes": "add nodes",
    "SetCondition": "set nodes",
    "AwaitOnline": "wait until ONLINE",
    "RemoveNodes": "remove nodes",
    "RemoveGone": "remove nodes, server gone",
    "AwaitDrained": "drain",
    "Watch": "watch",
    "RunHook": "run",
    "MarkServing": "mark as serving",
    "Park": "park",
    "Keep": "keep, to be looked at",
    "Seal": "seal",
    "RetireServer": "delete",
    "Discard": "delete a left-over",
}


def stage(line: Line) -> str:
    """Give the stage that a step belongs to."""
    if line.get("condition") == "ENABLED":
        return "rotate in"  # old nodes that are put back
    return STAGE_OF.get(str(line.get("step")), OTHER)


def doing(line: Line) -> str:
    """Say what a step does; one that is not known is called by its own name."""
    kind = str(line.get("step", "?"))
    known = DOING.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
    moment = f"{line['moment']} the migrations" if line.get("moment") else ""
    return " ".join(part for part in (known, str(line.get("condition", "")), moment) if part)


def subject(line: Line, prefix: str) -> str:
    """Say what a step is about: servers, a load balancer, a slot.

    :param prefix: what all names of the app and environment begin with; left out, since it tells nothing.
    """
    servers = ", ".join(str(name).removeprefix(prefix) for name in line.get("servers", ()))
    if line.get("balancer"):
        return f"{str(line['balancer']).removeprefix(prefix)}: {servers}"
    return servers or str(line.get("subject", "")).removeprefix("load balancer ").removeprefix(prefix)


def seconds(time: float) -> str:
    """Give a length of time as exactly as it is of interest."""
    minutes, rest = divmod(round(time), 60)
    if minutes >= 2:
        return f"{minutes} min {rest:02} s"
    return f"{time:.1f} s" if time >= 0.95 else f"{time * 1000:.0f} ms"
