"""Asking the app over HTTP whether it is up, at its private IP: not through a load balancer or a proxy."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from tasks.errors import CheckFailed
from tasks.hosts.app import Check
from tasks.hosts.output import printable
from tasks.hosts.route import Route
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


@dataclass(frozen=True, kw_only=True)
class Page:
    """What is asked for, and where."""

    address: str
    port: int
    path: str

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}{self.path}"


def get(page: Page, route: Route) -> Answer:
    """Ask once. Redirects are not followed, no proxy is asked, and no more of a body is read than is shown."""
    connection = HTTPConnection(page.address, page.port)
    try:
        # http.client takes any such stream, as it takes one of TLS.
        connection.sock = route.connect(page.address, page.port, _TIMEOUT)
        connection.request("GET", page.path, headers={"User-Agent": "disposable-servers", "Connection": "close"})
        answer = connection.getresponse()
        # One read, of what has come by now: a body that drips for ever must not hold us.
        return Answer(status=answer.status, body=_beginning(answer.read1(_MOST_BODY)))
    except (HTTPException, OSError) as error:
        return Answer(status=None, reason=_plain(error))
    finally:
        connection.close()


def _beginning(body: bytes) -> str:
    lines = [printable(line, _LINE_LENGTH) for line in body.decode(errors="replace").splitlines()]
    return "\n".join(f"    {line}" for line in [line for line in lines if line.strip()][:_SHOWN_LINES])


def _plain(error: Exception) -> str:
    """Say in few words what the system says in many."""
    if isinstance(error, TimeoutError):
        return f"nothing came within {_TIMEOUT:g} s"
    text = str(error) or type(error).__name__
    return "connection refused" if "Connection refused" in text else printable(text, _LINE_LENGTH)


def failed(server: Server, page: Page, check: Check, last: Answer, log: str) -> CheckFailed:
    """Say what the app answered last, and how its log ends."""
    ending = "\n".join(f"    {line}" for line in log.splitlines()) or "    (nothing)"
    return CheckFailed(
        f"the app on {server.name} was not up within {check.deadline:g} s: GET {page} is to answer {check.status}, "
        f"but {last}\nThe app's log ends:\n{ending}",
        server=server.name,
    )
