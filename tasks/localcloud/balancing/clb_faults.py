"""What Cloud Load Balancers v1.0 answers when it does not do what was asked (CLB docs, faults).

Owns codes and the service's own sentences, word for word, since clients tell faults apart by them. Knows no HTTP
server.
"""

from collections.abc import Iterable
from typing import Any


class Fault(Exception):
    """A refusal: nothing was changed. `body` is the JSON answer, flat, as the service sends it."""

    def __init__(self, code: int, body: dict[str, Any]) -> None:
        self.code = code
        self.body = body
        super().__init__(f"{code} {body['message']}")


def fault(code: int, message: str) -> Fault:
    """Refuse in the service's usual form."""
    return Fault(code, {"message": message, "code": code})


def bad_request(message: str) -> Fault:
    """Say that the request cannot be carried out as it is."""
    return fault(400, message)


def validation_failure(messages: Iterable[str]) -> Fault:
    """Say everything that is wrong with the fields of a body, or with a list of ids."""
    problems = {"messages": list(messages)}
    head = {"message": "Validation Failure", "code": 400, "details": "The object is not valid"}
    return Fault(400, {**head, "validationErrors": problems})


def not_in_schema() -> Fault:
    """Say that a body is not JSON of the expected shape: a list and no code, unlike all the others."""
    return Fault(400, {"message": ["JSON does not match the expected schema"]})


def no_balancer() -> Fault:
    """Say that there never was such a load balancer."""
    return fault(404, "Load balancer not found")


def balancer_deleted() -> Fault:
    """Say that something is asked about, or below, a deleted load balancer."""
    return fault(410, "The loadbalancer is marked as deleted.")


def no_node() -> Fault:
    """Say that a node to be shown does not exist."""
    return fault(404, "Node not found")


def no_node_to_change(balancer_id: int, node_id: int) -> Fault:
    """Say that a node to be changed or deleted does not exist; this is found out before the status is looked at."""
    return fault(404, f"Node with id #{node_id} not found for loadbalancer #{balancer_id}")


def no_meta() -> Fault:
    """Say that a piece of metadata does not exist."""
    return fault(404, "Meta data item not found")


def immutable(balancer_id: int, status: str) -> Fault:
    """Say that a change has to wait, or cannot happen any more."""
    if status == "DELETED":
        return fault(422, "The load balancer is deleted and considered immutable.")
    return fault(422, f"Load Balancer '{balancer_id}' has a status of '{status}' and is considered immutable.")


def unprocessable(message: str) -> Fault:
    """Say that a request makes no sense in the present state."""
    return fault(422, message)


def over_limit(message: str) -> Fault:
    """Say that a limit of the account would be passed; unlike rate limiting, without a Retry-After."""
    return fault(413, message)


def proxy_broken(reason: str) -> Fault:
    """Say that the machine under the load balancers does not answer."""
    return fault(500, f"The load balancer has experienced a fault: {reason}")


def out_of_virtual_ips() -> Fault:
    """Say that no virtual IP is left."""
    return fault(500, "No available virtual ips. Please contact support.")
