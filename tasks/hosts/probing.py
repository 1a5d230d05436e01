"""Asking the app for its check, once: at a server's private IP, or where users come in, through a load balancer.

Refuses to know what a bad answer means, see the rollout.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from tasks.hosts.app import AppCommands
from tasks.hosts.checking import TIMEOUT, Answer, Page, get, in_short, wrong
from tasks.hosts.route import Direct, Route
from tasks.hosts.trust import address_of
from tasks.rollout.model import LoadBalancer, Server
from tasks.waiting import Clock


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Asks the app. Nothing is started for it, and no SSH server is needed but a gateway's.

    :param inside: the way to private IPs.
    """

    app: AppCommands
    clock: Clock
    inside: Route

    def page(self, server: Server) -> Page:
        """Give what is asked for on a server.

        :raises HostUnreachable: it has no private IP.
        """
        return self._page(address_of(server), self.app.node_port)

    def get(self, page: Page, way: Route) -> Answer:
        """Ask for a page."""
        return get(page, way, self.clock, self.app.without_secrets)

    def on(self, server: Server) -> str:
        """Say in one line what is wrong on a server, "" = nothing.

        :raises HostError: it has no private IP, or the gateway does not let us through.
        """
        return self._wrong(self.page(server), self.inside)

    def through(self, balancer: LoadBalancer) -> str:
        """Say in one line what is wrong at a virtual IP, "" = nothing.

        It is asked from here, as users do; through the gateway, if there is one, where the virtual IP is a private one.
        Where the protocol is not HTTP, that a connection is taken is all that is asked.

        :raises HostError: the gateway does not let us through.
        """
        address = _entrance(balancer)
        if address is None:
            return f"{balancer.name} has no virtual IP"
        way = Direct() if address.is_global else self.inside
        if balancer.protocol == "HTTP":
            return self._wrong(self._page(str(address), balancer.port), way)
        return _knock(str(address), balancer.port, way)

    def _page(self, address: str, port: int) -> Page:
        return Page(address=address, port=port, path="/" + self.app.check.path.lstrip("/"), host=self.app.check.host)

    def _wrong(self, page: Page, way: Route) -> str:
        return wrong(page, self.app.check, self.get(page, way))


def _entrance(balancer: LoadBalancer) -> IPv4Address | IPv6Address | None:
    """Give the first virtual IP of version 4, else the first of version 6; None when there is none."""
    known = [address for virtual_ip in balancer.virtual_ips if (address := _parsed(virtual_ip.address))]
    return next((address for address in known if address.version == 4), next(iter(known), None))


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None  # a cloud may show a load balancer before it has given it an address


def _knock(address: str, port: int, way: Route) -> str:
    try:
        way.connect(address, port, TIMEOUT).close()
    except OSError as error:
        host = f"[{address}]" if ":" in address else address
        return f"{host}:{port} is to take a connection, but it did not ({in_short(error)})"
    return ""
