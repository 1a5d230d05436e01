"""Asking the app over HTTP whether it is well, once, and saying what it answered. Knows neither servers nor waiting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from urllib.parse import quote

from tasks.errors import CheckFailed
from tasks.hosts.app import Check
from tasks.hosts.route import Hurried, Route
from tasks.plain import printable
from tasks.rollout.model import Server
from tasks.waiting import Clock

TIMEOUT = 5.0
"""How long a connection may take, and each read from it, in seconds."""
_LONGEST = 10.0
_MOST_BODY = 4096
_SHOWN_LINES = 8
_LINE_LENGTH = 200
_OF_URLS = "%/?:@!$&'()*+,;=-._~[]"


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
    """What is asked for, and where. `host` is what the Host header says; "" = the address."""

    address: str
    port: int
    path: str
    host: str = ""

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}{self.path}"


def get(page: Page, route: Route, clock: Clock, hide: Callable[[str], str] = str) -> Answer:
    """Ask once. Redirects are not followed, no proxy is asked, and no more of a body is read than is shown.

    :param hide: takes out of the body what must not be shown.
    :raises HostError: the way there is barred.
    """
    connection = HTTPConnection(page.address, page.port)
    try:
        # http.client takes any such stream, as it takes one of TLS.
        connection.sock = Hurried(route.connect(page.address, page.port, TIMEOUT), clock, _LONGEST)
        headers = {"User-Agent": "disposable-servers", "Connection": "close"}
        headers |= {"Host": page.host} if page.host else {}
        connection.request("GET", quote(page.path, safe=_OF_URLS), headers=headers)
        with connection.getresponse() as answer:
            # One read, of what has come by now: a long body is not waited for.
            body = answer.read1(_MOST_BODY).decode(errors="replace")
            return Answer(status=answer.status, body=hide(_beginning(hide(body))))
    except (HTTPException, OSError) as error:
        return Answer(status=None, reason=in_short(error))
    finally:
        connection.close()


def _beginning(body: str) -> str:
    lines = [printable(line, _LINE_LENGTH) for line in body.splitlines()]
    return "\n".join(f"    {line}" for line in [line for line in lines if line.strip()][:_SHOWN_LINES])


def in_short(error: Exception) -> str:
    """Say in few words what the system says in many."""
    if isinstance(error, TimeoutError):
        return f"nothing came within {TIMEOUT:g} s"
    text = str(error) or type(error).__name__
    return "connection refused" if "Connection refused" in text else printable(text, _LINE_LENGTH)


def wrong(page: Page, check: Check, answer: Answer) -> str:
    """Say in one line what is wrong with an answer; "" when it is as expected."""
    if answer.status == check.status:
        return ""
    first = answer.body.partition("\n")[0].strip()
    said = f"{replace(answer, body='')}: {first}" if first else str(answer)
    return f"{_expected(page, check)}, but {said}"


def failed(server: Server, page: Page, check: Check, last: Answer, log: str) -> CheckFailed:
    """Say what the app answered last, and how its log ends."""
    ending = "\n".join(f"    {line}" for line in log.splitlines()) or "    (nothing)"
    return CheckFailed(
        f"the app on {server.name} was not up within {check.deadline:g} s: {_expected(page, check)}, "
        f"but {last}\nThe app's log ends:\n{ending}",
        server=server.name,
    )


def _expected(page: Page, check: Check) -> str:
    return f"GET {page} is to answer {check.status}"
