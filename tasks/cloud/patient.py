"""One session for every API: a bounded number of requests at a time, rate limits obeyed, reads asked again.

Every answer of 400 or more and every lost one leaves here as one of our errors, whichever client asked (novaclient or
an adapter). Refuses to know any API. A request that changes something is sent once, never again by itself, except when
the API said that it refused it only because of too many requests.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keystoneauth1.exceptions import ClientException
from keystoneauth1.session import Session

from tasks.cloud import answers, faults, ids
from tasks.cloud.asked import Asked, path_of
from tasks.cloud.cloud_time import CloudTime
from tasks.errors import CloudError, CloudUnreachable, OverLimit
from tasks.plain import line
from tasks.waiting import Clock, WallClock

if TYPE_CHECKING:
    from requests import Response

USER_AGENT = "disposable-servers"


def _unheard(_told: str | Asked) -> None:
    """Tell nobody."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How hard an API may be asked.

    :param wait_limit: seconds after which one request is not sent again, whatever the reason.
    :param concurrency: requests under way at the same time, per API.
    :param read_again_after: pauses in seconds before a read that could not be answered is asked again.
    :param on_wait: told why there is a wait, and for how long.
    :param on_request: told of each request when it is over, in the thread that sent it. Must not raise.
    """

    wait_limit: float = 60.0
    concurrency: int = 8
    read_again_after: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    clock: Clock = field(default_factory=WallClock)
    on_wait: Callable[[str], None] = _unheard
    on_request: Callable[[Asked], None] = _unheard


class PatientSession(Session):
    """A session for one API that shares the token and the connections of `session`. `cloud_time` follows its clock.

    :param api: what a person calls the API, such as "compute"; it is in every error.
    """

    def __init__(self, session: Session, *, api: str, pace: Pace) -> None:
        super().__init__(
            auth=session.auth,
            session=session.session,
            verify=session.verify,
            cert=session.cert,
            timeout=session.timeout,
        )
        self._api = api
        self._pace = pace
        self.cloud_time = CloudTime()
        self._places = threading.BoundedSemaphore(pace.concurrency)

    def request(self, url: str, method: str, *args: Any, **kwargs: Any) -> Response:
        """Send a request and give its answer, which is below 400.

        :raises CloudError: the API refused, failed or could not be asked.
        :raises Interrupted: the clock was stopped during a wait.
        """
        if kwargs.get("authenticated") is False:
            # The login itself: identity plugins want to see keystoneauth's own exceptions.
            return super().request(url, method, *args, **kwargs)
        if ids.leads_elsewhere(url):
            raise CloudError(f"the {self._api} API is not asked for {url!r}: an id in it leads elsewhere")
        deadline = self._pace.clock.now() + self._pace.wait_limit
        pauses = iter(self._pace.read_again_after if method in answers.READS else ())
        while True:
            try:
                return self._send(url, method, *args, **kwargs)
            except (OverLimit, CloudUnreachable) as setback:
                pause = self._pause_after(setback, pauses, deadline)
                self._pace.on_wait(f"{setback.problem}; asking again in {pause:g} s")
            self._pace.clock.pause(pause)

    def _pause_after(self, setback: CloudError, pauses: Iterator[float], deadline: float) -> float:
        """Give how long to wait before the next try, or raise the setback when there is to be none."""
        pause = setback.retry_after if isinstance(setback, OverLimit) else next(pauses, None)
        if pause is not None and self._pace.clock.now() + pause <= deadline:
            return pause
        if isinstance(setback, OverLimit):
            wanted, allowed = setback.retry_after, self._pace.wait_limit
            setback.advice = f"it wants {wanted:g} s of patience, more than the {allowed:g} s allowed: try again later"
        raise setback

    def _send(self, url: str, method: str, *args: Any, **kwargs: Any) -> Response:
        # What changes something may carry user data, and its answer a password: that is for no log, however talkative.
        kwargs |= {"raise_exc": False, "user_agent": USER_AGENT, "log": method in answers.READS}
        with self._places:
            sent = self.cloud_time.uptime()
            try:
                response = self._ask(url, method, *args, **kwargs)
            except ClientException as error:
                raise faults.failure(error, api=self._api, method=method) from error
        if response.status_code >= 400:
            raise faults.refusal(answers.read(response, api=self._api))
        if not _is_json(response, method):
            seen = line(response.headers.get("Content-Type", "nothing"), most=80)
            raise CloudError(f"the {self._api} API answered {method} with {seen} instead of JSON: a proxy in between?")
        self.cloud_time.hear(response.headers, since=sent)
        return response

    def _ask(self, url: str, method: str, *args: Any, **kwargs: Any) -> Response:
        began, status, asked = self._pace.clock.now(), 0, url
        try:
            response = super().request(url, method, *args, **kwargs)
            status, asked = response.status_code, response.url or url
        finally:
            seconds = self._pace.clock.now() - began
            request = Asked(api=self._api, method=method, path=path_of(asked), status=status, seconds=seconds)
            self._pace.on_request(request)
        return response


def _is_json(response: Response, method: str) -> bool:
    begins = response.content.lstrip()[:1]
    return begins in {b"{", b"["} or (begins == b"" and method not in answers.READS)
