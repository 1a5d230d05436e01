"""Which loopback addresses a local cloud uses: a 127.x.0.0/16 of its own.

127.x.0.1 is the API's, 127.x.1.n are virtual IPs of load balancers, servers count from 127.x.2.1 up.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterable

CLAIM_PORT = 47127
"""Whoever listens on this port of 127.x.0.1 owns 127.x.0.0/16; nothing is served there."""

_SECOND_OCTETS = range(1, 255)  # 127.0 is left to everybody else


class NoNetwork(Exception):
    """Every 127.x.0.0/16 is in use."""


class NoAddress(Exception):
    """All addresses of one kind are in use."""


class AddressPool:
    """Addresses of one kind. One that was given back is handed out again only after all the others had their turn."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._free = dict.fromkeys(addresses)

    def take(self) -> str:
        """Hand out the address that has been unused for longest.

        :raises NoAddress: none is free.
        """
        if not self._free:
            raise NoAddress("all addresses are in use")
        address = next(iter(self._free))
        del self._free[address]
        return address

    def take_this(self, address: str) -> str:
        """Hand out this very address.

        :raises NoAddress: it is in use, or not one of these.
        """
        if address not in self._free:
            raise NoAddress(f"{address} is in use, or not an address of this kind")
        del self._free[address]
        return address

    def give_back(self, address: str) -> None:
        """Put an address at the end of the queue."""
        self._free[address] = None


class Network:
    """A claimed 127.x.0.0/16. The claim holds until `close`, or the end of the process."""

    def __init__(self, claim: socket.socket, second_octet: int) -> None:
        self._claim = claim
        prefix = f"127.{second_octet}"
        self.api_address = f"{prefix}.0.1"
        self.virtual_ips = AddressPool(f"{prefix}.1.{host}" for host in range(1, 255))
        self.private_ips = AddressPool(f"{prefix}.{third}.{host}" for third in range(2, 256) for host in range(1, 255))

    def close(self) -> None:
        """Let another cloud have these addresses."""
        self._claim.close()


def claim_network() -> Network:
    """Claim a 127.x.0.0/16 that no other local cloud has; the kernel sees to it that none is claimed twice.

    :raises NoNetwork: all 254 are taken.
    """
    for second_octet in random.sample(_SECOND_OCTETS, len(_SECOND_OCTETS)):
        claim = socket.socket()
        try:
            claim.bind((f"127.{second_octet}.0.1", CLAIM_PORT))
            claim.listen(1)
        except OSError as error:
            claim.close()
            if error.errno != errno.EADDRINUSE:
                raise
        else:
            return Network(claim, second_octet)
    raise NoNetwork(f"port {CLAIM_PORT} is in use on all of 127.1.0.1 to 127.254.0.1")
