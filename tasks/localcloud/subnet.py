"""The cloud's one network and its one subnet, as the network service describes them. Addresses are `network.py`'s."""

from __future__ import annotations

import ipaddress
import uuid
from dataclasses import dataclass

NETWORK_NAME = "private"
SUBNET_NAME = "private-subnet"


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A 127.x.0.0/16; `gateway` is the address of the API in it. Ids follow from the addresses."""

    gateway: str

    @property
    def cidr(self) -> str:
        """All its addresses."""
        return str(ipaddress.ip_network(f"{self.gateway}/16", strict=False))

    @property
    def id(self) -> str:
        """The subnet's id."""
        return self._id("subnet")

    @property
    def network_id(self) -> str:
        """Its network's id."""
        return self._id("network")

    @property
    def pools(self) -> tuple[tuple[str, str], ...]:
        """First and last address of those for virtual IPs, and of those for servers."""
        prefix = self.gateway.removesuffix(".0.1")
        return (f"{prefix}.1.1", f"{prefix}.1.254"), (f"{prefix}.2.1", f"{prefix}.255.254")

    def holds(self, address: str) -> bool:
        """Whether an address is on it."""
        return ipaddress.ip_address(address) in ipaddress.ip_network(self.cidr)

    def _id(self, kind: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"local-cloud {kind} {self.cidr}"))
