"""What a deploy would do, for programs. Keys stay; new ones may come."""

from __future__ import annotations

import json
import sys
from typing import Any

from tasks.report.reckoning import ordered, reckon
from tasks.report.status_json import claim_json
from tasks.report.wording import Names, planned
from tasks.rollout.foreseeing import Foreseen
from tasks.rollout.model import Server


def as_json(foreseen: Foreseen) -> dict[str, Any]:
    """Give a plan as JSON values.

    `servers` and `room` (for how many more) count before the deploy, when there are most servers, and after it; `room`
    is null when no limit is known. `touches_serving_from` is the number of the first step that touches what serves.
    """
    goal, reckoned = foreseen.goal, reckon(foreseen)
    return {
        "app": goal.app,
        "environment": goal.environment,
        "release": goal.release,
        "generation": goal.generation,
        "is_change": reckoned.is_change,
        "can_be_done": not foreseen.gives_up,
        "at_work": [claim_json(claim) for claim in foreseen.at_work],
        "interrupted": _interrupted(foreseen),
        "create": list(reckoned.created),
        "delete": [_server(server) for server in reckoned.deleted],
        "park": [_server(server) for server in reckoned.parked],
        "servers": _moments(reckoned.count.before, reckoned.count.most, reckoned.count.after),
        "room": _moments(*reckoned.count.room) if reckoned.count.room else None,
        "touches_serving_from": reckoned.touching,
        "steps": _steps(foreseen),
    }


def print_json(foreseen: Foreseen) -> None:
    """Print a plan for programs."""
    sys.stdout.write(json.dumps(as_json(foreseen), indent=2) + "\n")


def _moments(before: int, most: int, after: int) -> dict[str, int]:
    return {"before": before, "fullest": most, "after": after}


def _server(server: Server) -> dict[str, str]:
    return {"id": server.id, "name": server.name, "release": server.labels.release}


def _interrupted(foreseen: Foreseen) -> dict[str, Any] | None:
    if foreseen.found is None:
        return None
    return {**claim_json(foreseen.found.claim), "next_deploy": foreseen.onward.value}


def _steps(foreseen: Foreseen) -> list[dict[str, Any]]:
    names = Names(prefix="", servers=Names.of(foreseen.seen.servers))
    begun = sum(len(bag) for bag in foreseen.first)
    return [
        {
            "number": number,
            "step": type(step).__name__,
            "subject": step.subject,
            "part": "interrupted" if number <= begun else "deploy",
            "text": planned(step, names),
        }
        for number, step in enumerate(ordered(foreseen), start=1)
    ]
