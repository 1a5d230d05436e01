"""What an API answered, read once: status, text, request id, and how long it asks us to wait.

Knows the shapes in which Nova, Cloud Load Balancers, Glance, Keystone and the proxies before them put an error's text.
Refuses to know what an answer means: that is `faults`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tasks.plain import line

if TYPE_CHECKING:
    from requests import Response

# Requests that change nothing.
READS = frozenset({"GET", "HEAD"})
MOST_BODY = 65_536
"""So many bytes of a refusal are looked at."""
DEEPEST = 5
LONGEST_TEXT = 400
LONGEST_WAIT = 86_400.0
UNSAID_WAIT = 1.0
_SECONDS = re.compile(r"[0-9]{1,20}")
REQUEST_ID_HEADERS = ("x-compute-request-id", "x-openstack-request-id")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer of an API.

    :param api: what a person calls it, such as "compute".
    :param path: without the query.
    :param text: the error's text in one line, shortened; empty when there was none.
    :param rate_limited: it refused because of too many requests, not because of what was asked.
    :param retry_after: seconds, at most a day; 1 when it does not say.
    """

    api: str
    method: str
    path: str
    status: int
    text: str = ""
    request_id: str = ""
    rate_limited: bool = False
    retry_after: float = UNSAID_WAIT

    @property
    def reads(self) -> bool:
        """Whether the request could not have changed anything."""
        return self.method in READS


def read(response: Response, *, api: str) -> Answer:
    """Read an answer of `api`. Never raises: a body that cannot be understood is quoted."""
    body = _json(response)
    over_limit = body.get("overLimit") if isinstance(body, dict) else None
    request = response.request
    return Answer(
        api=api,
        method=request.method or "",
        path=urlsplit(request.url or "").path,
        status=response.status_code,
        text=_text(body, response.content[:MOST_BODY].decode(errors="replace")),
        request_id=next(
            (line(response.headers[it], most=80) for it in REQUEST_ID_HEADERS if it in response.headers), ""
        ),
        rate_limited=over_limit is not None or "Retry-After" in response.headers,
        retry_after=_wait(response.headers, over_limit),
    )


def _json(response: Response) -> Any:
    try:
        return response.json() if len(response.content) <= MOST_BODY else None
    except (ValueError, RecursionError):
        return None


def _text(body: Any, raw: str) -> str:
    said = "; ".join(dict.fromkeys(_messages(body, DEEPEST))) or re.sub(r"<[^<>]*>", " ", raw)
    return line(said, most=LONGEST_TEXT)


def _messages(body: Any, depth: int) -> Iterator[str]:
    """Find the texts for people, the precise ones first.

    Cloud Load Balancers answers flat, or with validationErrors, or with a list; Nova and Keystone wrap in a fault name.
    """
    if not isinstance(body, Mapping) or not depth:
        return
    validation = body.get("validationErrors")
    if isinstance(validation, Mapping):
        yield from map(str, _listed(validation.get("messages")))
        return
    message = body.get("message") or body.get("faultstring")
    if message:
        yield from map(str, _listed(message))
        return
    for inner in body.values():
        yield from _messages(inner, depth - 1)


def _listed(said: Any) -> list[Any]:
    return said if isinstance(said, list) else [said] if said else []


def _wait(headers: Mapping[str, str], over_limit: Any) -> float:
    """Read how long to wait: Retry-After as seconds or date, else the overLimit body, which has either as well.

    A date is measured against the answer's own Date, so that a wrong clock on either side does not matter.
    """
    in_body = over_limit.get("retryAfter") or over_limit.get("retryAt") if isinstance(over_limit, Mapping) else None
    said = str(headers.get("Retry-After") or in_body or "").strip()
    if _SECONDS.fullmatch(said):
        seconds = float(said)
    else:
        then, now = moment(said), moment(headers.get("Date", ""))
        seconds = (then - now).total_seconds() if then and now else UNSAID_WAIT
    return min(max(seconds, UNSAID_WAIT), LONGEST_WAIT)


def utc(said: str) -> datetime:
    """Read a time as OpenStack writes it, which is UTC where it does not say.

    :raises ValueError: it is none.
    """
    found = datetime.fromisoformat(said)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moment(said: str) -> datetime | None:
    """Read a time as HTTP or ISO 8601 writes it; None when it is none, or does not say in which time zone."""
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = parse(said)
        except (ValueError, OverflowError, IndexError):
            continue
        return found if found.tzinfo else None
    return None
