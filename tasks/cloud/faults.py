"""The only place that turns what went wrong with an API into our errors: by tables, first match counts.

Knows the answers of Nova (api-ref, servers), of Cloud Load Balancers v1.0 (CLB docs, faults and nodes) and of Octavia
(api-ref, general; for all three, where the documents are silent, the published source). Refuses to know what was being
done: `doing` adds that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from keystoneauth1 import exceptions as keystone
from urllib3.exceptions import NewConnectionError

from tasks.cloud.answers import READS, Answer
from tasks.errors import (
    CloudError,
    CloudUnreachable,
    Conflict,
    Immutable,
    NotFound,
    OverLimit,
    QuotaExceeded,
    Unauthorized,
    Uncertain,
)


class NoSuchNodes(NotFound):
    """A bulk change named nodes that the load balancer does not have; nothing was changed. `node_ids` are those."""

    def __init__(self, problem: str, *, node_ids: frozenset[str], status: int, request_id: str) -> None:
        super().__init__(problem, status=status, request_id=request_id)
        self.node_ids = node_ids


class ListMoved(CloudError):
    """The entry that the last page of a list ended with has been deleted since: the list has to be begun again."""


class NotOffered(CloudError):
    """The API does not know the call (405, 501)."""


class Stuck(CloudError):
    """A load balancer is in ERROR or SUSPENDED: no waiting helps."""


class Busy(Immutable):
    """A load balancer takes no changes, and the answer hides whether it is busy, going away or broken."""


Build = Callable[[Answer, str], CloudError]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """An answer that has one of these statuses, whose text and request match, is this error."""

    statuses: range | tuple[int, ...]
    error: Build
    text: str = ""
    request: str = ""

    def matches(self, answer: Answer) -> bool:
        """Say whether the answer is meant."""
        return (
            answer.status in self.statuses
            and re.search(self.text, answer.text, re.IGNORECASE) is not None
            and re.search(self.request, f"{answer.method} {answer.path}") is not None
        )


def _as(error: type[CloudError], advice: str = "") -> Build:
    def build(answer: Answer, problem: str) -> CloudError:
        return error(problem, advice=advice, status=answer.status, request_id=answer.request_id)

    return build


def _over_limit(answer: Answer, problem: str) -> CloudError:
    return OverLimit(problem, retry_after=answer.retry_after, status=answer.status, request_id=answer.request_id)


def _rate_limited_or_full(answer: Answer, problem: str) -> CloudError:
    # 413 is both "too fast" and "too many nodes"; only a rate limit says when to come back (CLB docs, limits).
    return (_over_limit if answer.rate_limited else _as(QuotaExceeded))(answer, problem)


def _no_such_nodes(answer: Answer, problem: str) -> CloudError:
    found = re.search(r"node ids ([\d, ]+)", answer.text, re.IGNORECASE)
    ids = frozenset(re.findall(r"\d+", found[1])) if found else frozenset()
    return NoSuchNodes(problem, node_ids=ids, status=answer.status, request_id=answer.request_id)


def _server_failed(answer: Answer, problem: str) -> CloudError:
    # A read has changed nothing, so that it may be asked again.
    return _as(CloudUnreachable if answer.reads else Uncertain)(answer, problem)


STRANGE = "is there a proxy in between, or does the catalog point to another kind of API?"
LOGIN = "check the credentials of this cloud in clouds.yaml or OS_*"
NO_FACTOR = "log in with the API key instead (auth_type: rackspace_apikey), which needs no second factor"
KEY_LOGIN = "a Rackspace API key needs auth_type: rackspace_apikey, not password"
RIGHTS = "these credentials may log in but not do this: ask for the role that may"
SUPPORT = "waiting does not help: ask the cloud's support, naming the load balancer"

RULES = (
    Rule(statuses=(401,), error=_as(Unauthorized, LOGIN)),
    # A create is refused with 403 for every quota and network rule of the account, at times in plain text.
    Rule(statuses=(403,), request=r"^POST .*/servers$", error=_as(QuotaExceeded)),
    Rule(statuses=(403, 413), text=r"quota|maximum number", error=_as(QuotaExceeded)),
    Rule(statuses=(403,), error=_as(Unauthorized, RIGHTS)),
    Rule(statuses=(400,), text=r"not a part of your loadbalancer", error=_no_such_nodes),
    Rule(statuses=(400, 404), text=r"\bmarker\b.*not", request=r"^GET ", error=_as(ListMoved)),
    Rule(statuses=(413, 422), text=r"duplicate (nodes|metadata)", error=_as(Conflict)),
    Rule(statuses=(400, 413), text=r"metadata must not exceed", error=_as(QuotaExceeded)),
    Rule(statuses=(422,), text=r"'(PENDING[_-]DELETE|DELETED)'|\b(is|been|as) deleted", error=_as(NotFound)),
    Rule(statuses=(422,), text=r"'(ERROR|SUSPENDED)'", error=_as(Stuck, SUPPORT)),
    Rule(statuses=(422,), text=r"is not ACTIVE", error=_as(Busy)),
    Rule(statuses=(422,), text=r"immutable", error=_as(Immutable)),
    Rule(statuses=(404, 410), error=_as(NotFound)),
    Rule(statuses=(405, 501), error=_as(NotOffered)),
    Rule(statuses=(409,), text=r"while it is in|task_state|immutable", error=_as(Immutable)),
    Rule(statuses=(409,), error=_as(Conflict)),
    Rule(statuses=(413,), error=_rate_limited_or_full),
    Rule(statuses=(429,), error=_over_limit),
    # Octavia could not even take its own lock, so nothing was done (common/exceptions.py, ProjectBusyException).
    Rule(statuses=(503,), text=r"project busy", error=_as(Immutable)),
    Rule(statuses=range(500, 600), error=_server_failed),
    Rule(statuses=range(600), error=_as(CloudError)),
)


def refusal(answer: Answer) -> CloudError:
    """Turn an answer of 400 or more into the error it means."""
    said = answer.text or "nothing"
    support = f" (request id {answer.request_id})" if answer.request_id else ""
    problem = f"the {answer.api} API answered {answer.status} to {answer.method}: {said}{support}"
    return next(rule for rule in RULES if rule.matches(answer)).error(answer, problem)


def failure(error: keystone.ClientException, *, api: str, method: str) -> CloudError:
    """Turn an exception of the session, when there was no answer, into the error it means.

    A request that cannot have reached the API is CloudUnreachable; a lost answer to a change is Uncertain.
    """
    if isinstance(error, keystone.HttpError):
        return login_refused(error)
    if isinstance(error, keystone.EndpointNotFound):
        return NotFound(f"the cloud's catalog has no {api} API for this region")
    problem = f"no answer of the {api} API to {method}: {reason(error)}"
    if isinstance(error, keystone.SSLError):
        return CloudUnreachable(problem, advice="set cacert in clouds.yaml when the cloud has a certificate of its own")
    sent = isinstance(error, keystone.ConnectionError) and not _never_connected(error)
    return (Uncertain if sent and method not in READS else CloudUnreachable)(problem)


def login_refused(error: keystone.HttpError) -> CloudError:
    """Turn identity's refusal of a token into an error (Cloud Identity docs, authentication: 401, 403, 413)."""
    status, request_id = error.http_status, error.request_id or ""
    if _wants_second_factor(error):
        problem, advice = "identity asks for a second factor", NO_FACTOR
    elif status in {413, 429}:
        problem, advice = f"identity refused the login ({status}): too many requests", "wait a minute and try again"
    elif status in {401, 403}:
        problem, advice = f"identity refused the credentials ({status})", f"{LOGIN}; {KEY_LOGIN}"
    else:
        problem, advice = f"identity answered {status} to the login", "check auth_url in clouds.yaml or OS_AUTH_URL"
    kind = {401: Unauthorized, 403: Unauthorized, 404: NotFound}.get(status, CloudError)
    return kind(problem, advice=advice, status=status, request_id=request_id)


def _wants_second_factor(error: keystone.HttpError) -> bool:
    # A login that needs one is a 401 like a mistyped password (Cloud Identity docs, multi-factor authentication).
    if error.response is None:
        return False
    said = f"{error.response.headers.get('WWW-Authenticate', '')} {error.response.text}"
    return re.search(r"OS-MF|factor|passcode|additional authentication", said, re.IGNORECASE) is not None


def reason(error: BaseException) -> str:
    """Give the innermost cause in a few words ("Connection refused"), without URLs, which may hold secrets."""
    inner = list(_causes(error))
    system = next((cause for cause in reversed(inner) if isinstance(cause, OSError) and cause.strerror), None)
    if system is not None:
        return str(system.strerror)
    if any(isinstance(cause, requests.Timeout) for cause in inner):
        return "it took too long"
    return re.sub(r"(?<=([a-z]))(?=[A-Z])", " ", type(inner[-1]).__name__).lower()


def _never_connected(error: BaseException) -> bool:
    return any(isinstance(cause, (requests.ConnectTimeout, NewConnectionError)) for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk to the innermost cause, also through urllib3's `reason` and through wrapped arguments."""
    seen: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        cause = queue.pop(0)
        if isinstance(cause, BaseException) and cause not in seen:
            seen.append(cause)
            yield cause
            queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Say in every CloudError that leaves the block what was being done: "creating server web-1: …".

    The block asks an API and reads what it answers, also inside novaclient: an answer of success that lacks what it
    should hold is a CloudError too, with the failed look-up as its cause.
    """
    try:
        yield
    except CloudError as error:
        error.problem = f"{what}: {error.problem}"
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        seen = f"{type(error).__name__}: {error}"
        raise CloudError(f"{what}: the answer cannot be understood ({seen})", advice=STRANGE) from error
