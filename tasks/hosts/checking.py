"""Asking the app over HTTP whether it is up, straight at its private IP: not through a load balancer or a proxy."""

from __future__ import annotations

from dataclasses import dataclass

import requests

from tasks.errors import CheckFailed
from tasks.hosts.app import Check
from tasks.hosts.output import printable
from tasks.rollout.model import Server

_TIMEOUT = 5.0
_MOST_BODY = 4096
_SHOWN_LINES = 8
_LINE_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the app answered: a status, or why there was none; and the first lines of its body, fit to be shown."""

    status: int | None
    reason: str = ""
    body: str = ""

    def __str__(self) -> str:
        said = f"it answered {self.status}" if self.status is not None else f"it did not answer ({self.reason})"
        return f"{said}; the answer began:\n{self.body}" if self.body else said


def get(url: str) -> Answer:
    """Ask once. Redirects are not followed, and no more of a body is read than is shown."""
    with requests.Session() as client:
        client.trust_env = False  # no proxy, no .netrc
        headers = {"Accept-Encoding": "identity", "User-Agent": "disposable-servers"}
        try:
            with client.get(url, headers=headers, timeout=_TIMEOUT, allow_redirects=False, stream=True) as answer:
                return Answer(status=answer.status_code, body=_beginning(answer))
        except (requests.RequestException, OSError) as error:
            return Answer(status=None, reason=_plain(error))


def _beginning(answer: requests.Response) -> str:
    # One read, of what has come by now: a body that drips for ever must not hold us.
    body = answer.raw.read1(_MOST_BODY)
    lines = [printable(line, _LINE_LENGTH) for line in body.decode(errors="replace").splitlines()]
    return "\n".join(f"    {line}" for line in [line for line in lines if line.strip()][:_SHOWN_LINES])


def _plain(error: Exception) -> str:
    """Say in few words what requests says in many."""
    if isinstance(error, requests.Timeout):
        return f"nothing came within {_TIMEOUT:g} s"
    text = str(error)
    return "connection refused" if "Connection refused" in text else printable(text, _LINE_LENGTH)


def failed(server: Server, url: str, check: Check, last: Answer, log: str) -> CheckFailed:
    """Say what the app answered last, and how its log ends."""
    ending = "\n".join(f"    {line}" for line in log.splitlines()) or "    (nothing)"
    return CheckFailed(
        f"the app on {server.name} was not up within {check.deadline:g} s: GET {url} is to answer {check.status}, "
        f"but {last}\nThe app's log ends:\n{ending}",
        server=server.name,
    )
