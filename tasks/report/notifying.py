"""The notification of how a deploy has ended: a webhook is told in JSON whose `text` Slack and its like show.

Its URL opens a door: it stands in no message, log or error. Whatever becomes of it, a deploy is as it is, and is not
held up for longer than a few seconds.
"""

from __future__ import annotations

import json
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from tasks.outcomes import Outcome
from tasks.rollout.goal import Goal

LONGEST = 5.0
"""So many seconds a notification may take."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nobody elsewhere: what is sent is for the one who was named."""

    def redirect_request(self, *_: Any) -> None:
        """Do not."""


def message(goal: Goal, outcome: Outcome, seconds: float, problem: str) -> dict[str, Any]:
    """Give what is sent: a sentence for people, and its parts for programs.

    :param problem: one line; empty when nothing has failed.
    """
    what = f"{goal.verb} of {goal.app} to {goal.environment}, release {goal.release}"
    text = f"{what}: {outcome.words}, after {seconds:.0f} s" + (f"\n{problem}" if problem else "")
    return {
        "text": _escaped(text),
        "app": goal.app,
        "environment": goal.environment,
        "verb": goal.verb,
        "release": goal.release,
        "generation": goal.generation,
        "outcome": outcome.value,
        "exit_code": outcome.exit_code,
        "seconds": round(seconds, 1),
        "error": problem,
    }


def post(url: str, told: Mapping[str, Any], *, longest: float = LONGEST) -> str:
    """Send it; say what is wrong, "" when it was taken. Never raises, and never tells the URL.

    :param longest: how long to wait for the answer, in seconds; one that comes later is not waited for.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    sender = threading.Thread(target=lambda: answers.put(_sent(url, told, longest)), daemon=True)
    sender.start()
    try:
        return answers.get(timeout=longest)
    except queue.Empty:
        return f"the webhook did not answer within {longest:g} s"


def _sent(url: str, told: Mapping[str, Any], longest: float) -> str:
    # Not `requests`, whose connections log the path of a URL when logging is at its most talkative.
    try:
        request = urllib.request.Request(  # noqa: S310  the settings take http and https alone
            url, data=json.dumps(told).encode(), headers={"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=longest):
            return ""
    except urllib.error.HTTPError as refused:
        refused.close()
        return f"the webhook answered {refused.code}"
    except (OSError, HTTPException, ValueError) as failed:
        return f"the webhook could not be asked: {type(getattr(failed, 'reason', None) or failed).__name__}"


def _escaped(text: str) -> str:
    """Escape what Slack would take for a link or a mention."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
