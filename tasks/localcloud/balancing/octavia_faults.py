"""What Octavia v2 answers when it does not do what was asked (octavia/common/exceptions.py).

Owns codes and the service's own sentences, word for word, since clients tell faults apart by them. Knows no HTTP
server.
"""

from __future__ import annotations

from typing import Any

from tasks.localcloud.balancing.octavia_model import PROVIDER


class Fault(Exception):
    """A refusal: nothing was changed. `body` is the JSON answer in the form of WSME, which Octavia is written with."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        blamed = "Client" if self.code < 500 else "Server"
        return {"faultcode": blamed, "faultstring": str(self), "debuginfo": None}


def invalid_input(attribute: str, value: object, problem: str) -> Fault:
    """Say that an attribute has a bad value, or is missing (wsme.exc.InvalidInput)."""
    return Fault(400, f"Invalid input for field/attribute {attribute}. Value: '{value}'. {problem}")


def unknown_attribute(attribute: str) -> Fault:
    """Say that there is no such attribute (wsme.exc.UnknownAttribute)."""
    return Fault(400, f"Unknown attribute: {attribute}")


def invalid_option(value: object, option: str) -> Fault:
    """Say that a value makes no sense there."""
    return Fault(400, f"{value} is not a valid option for {option}")


def invalid(detail: str) -> Fault:
    """Say what is wrong with a request as a whole."""
    return Fault(400, f"Validation failure: {detail}")


def quota_met(resource: str) -> Fault:
    """Say that the project may not have one more."""
    return Fault(403, f"Quota has been met for resources: {resource}")


def not_found(resource: str, wanted: object) -> Fault:
    """Say that there is no such thing."""
    return Fault(404, f"{resource} {wanted} not found.")


def immutable(resource: str, wanted: str) -> Fault:
    """Say that a change has to wait, or, in ERROR, cannot happen any more."""
    return Fault(409, f"{resource} {wanted} is immutable and cannot be updated.")


def invalid_state(balancer_id: str, state: str) -> Fault:
    """Say the same of a change or deletion of the load balancer itself."""
    return Fault(409, f"Invalid state {state} of loadbalancer resource {balancer_id}")


def duplicate_listener(protocol: str, port: int) -> Fault:
    """Say that a port is taken."""
    taken = f"protocol {protocol} and protocol_port {port}"
    return Fault(409, f"Another Listener on this Load Balancer is already using {taken}")


def duplicate_member(address: str, port: int) -> Fault:
    """Say that a member is there already."""
    return Fault(409, f"Another member on this pool is already using ip {address} on protocol_port {port}")


def duplicate_monitor() -> Fault:
    """Say that a pool is watched already."""
    return Fault(409, "This pool already has a health monitor")


def duplicate_pool() -> Fault:
    """Say that a listener has its pool already."""
    return Fault(409, "This listener already has a default pool")


def address_taken(address: str, subnet_id: str) -> Fault:
    """Say that somebody else has the virtual IP, in the network service's words."""
    return Fault(409, f"IP address {address} already allocated in subnet {subnet_id}")


def no_address(network_id: str) -> Fault:
    """Say that no virtual IP is left, in the network service's words."""
    return Fault(409, f"No more IP addresses available on network {network_id}.")


def unsupported(user_message: str) -> Fault:
    """Say that the service knows an option and what is under it cannot do it (ProviderUnsupportedOptionError)."""
    return Fault(501, f"Provider '{PROVIDER}' does not support a requested option: {user_message}")


def provider_broken(reason: str) -> Fault:
    """Say that the machine under the load balancers does not answer (ProviderDriverError)."""
    return Fault(500, f"Provider '{PROVIDER}' reports error: {reason}")
