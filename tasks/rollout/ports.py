"""What the rollout needs of the outside, as Protocols. `cloud/` and `hosts/` provide them; a simulation can as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tasks.findings import Finding
from tasks.rollout.model import Condition, Listener, LoadBalancer, Server, ServerRequest, Spare


class Compute(Protocol):
    """The servers of one app and environment. Every method may raise a CloudError."""

    def servers(self) -> tuple[Server, ...]:
        """List all servers that carry our labels (app and environment), over all pages, newest API answer."""

    def create(self, request: ServerRequest) -> Server:
        """Ask for one server; returns as soon as the cloud has accepted it.

        :raises Uncertain: the answer was lost; the server may exist. Never retried here.
        :raises QuotaExceeded: no room for it.
        """

    def server(self, server_id: str) -> Server:
        """Show one server.

        :raises NotFound: it is gone, or it does not carry our labels.
        """

    def label(self, server: Server) -> None:
        """Write the labels of `server` to its metadata. Other metadata items are left as they are."""

    def note(self, server_id: str, name: str, value: str) -> None:
        """Write one metadata item of a server; its other items are left as they are.

        :raises NotFound: the server is gone.
        """

    def erase(self, server_id: str, name: str) -> None:
        """Remove one metadata item of a server. An item or a server that is gone already is no error."""

    def now(self) -> datetime:
        """Give the time on the cloud's clock, so that operators whose clocks differ agree on it."""

    def delete(self, server_id: str) -> None:
        """Ask for a server to be deleted. One that is gone already is no error. Asynchronous: look until it is gone."""

    def reboot(self, server_id: str) -> None:
        """Ask for a server to be shut down and started again. Asynchronous: look until it is ACTIVE."""

    def findings(self, extra_servers: int) -> list[Finding]:
        """Say whether the cloud can build that many more servers: image, flavor, quota, networks, keypair."""

    def room(self) -> int | None:
        """Give how many more servers the quotas allow; None when there is no limit."""

    def addresses(self) -> frozenset[str]:
        """Give every address of every server of the account, ours or not."""

    def spares(self) -> tuple[Spare, ...]:
        """List keypairs and images that were made for this app and environment and that no server uses any more."""

    def discard(self, spare: Spare) -> None:
        """Delete a keypair or an image. One that is gone already is no error."""

    def console(self, server_id: str) -> str:
        """Read the server's console log, as long as the cloud keeps it; empty when there is none yet."""


class Balancers(Protocol):
    """The load balancers that stand in front of our listeners. Every method may raise a CloudError.

    A change returns when the cloud has accepted it, not when it is done: look at the status afterwards. A balancer
    that is busy raises Immutable, and nothing was changed.
    """

    def find(self, listeners: Sequence[Listener]) -> tuple[LoadBalancer, ...]:
        """Find the load balancers of these listeners, by name and port, with their nodes."""

    def show(self, balancer_id: str) -> LoadBalancer:
        """Show one load balancer with its nodes and their conditions and statuses."""

    def create(self, listener: Listener, share_with: LoadBalancer | None) -> LoadBalancer:
        """Create the load balancer of a listener, on the virtual IPs of another one if given, without nodes."""

    def add_nodes(self, balancer_id: str, addresses: Mapping[str, str], port: int) -> None:
        """Add all these addresses, ENABLED, in one change; each with the name of its server, for `owners`.

        :raises Conflict: one of them is a node already; none was added.
        """

    def set_condition(self, balancer_id: str, node_ids: Sequence[str], condition: Condition) -> None:
        """Set the condition of all these nodes, in one change where the API can."""

    def remove_nodes(self, balancer_id: str, node_ids: Sequence[str]) -> None:
        """Remove these nodes. Those that are gone already are no error."""

    def knowing(self, address: str) -> tuple[str, ...]:
        """Give the names of all load balancers of the account, ours or not, that have a node at this address."""

    def findings(self, listeners: Sequence[Listener]) -> list[Finding]:
        """Say whether load balancers for these listeners can be made or changed."""

    def node_limit(self) -> int:
        """Give the greatest number of nodes that one load balancer may have."""

    def is_ours(self, balancer_id: str) -> bool:
        """Say whether a load balancer carries the mark of this app and environment: `create` and `adopt` set it."""

    def adopt(self, balancer_id: str) -> None:
        """Mark a load balancer that somebody has made by hand as one of this app and environment."""

    def owners(self, balancer_id: str) -> Mapping[str, str]:
        """Give, by address, the names of the servers for which we have added nodes to a load balancer, then or now."""


class Hosts(Protocol):
    """The servers from inside, over SSH with verified host keys. Every method may raise a HostError."""

    def awaits_reboot(self, server: Server) -> bool:
        """Wait until a server has done its own part of set-up at its first boot, if it has one.

        Says whether it has to be rebooted before `set_up`; once it was, no more.
        """

    def set_up(self, server: Server) -> None:
        """Push the release and the bootstrap scripts, and run the scripts. Safe to repeat."""

    def migrate(self, server: Server) -> None:
        """Run the app's migrations."""

    def test(self, server: Server) -> None:
        """Run the app's own unit tests."""

    def check(self, server: Server) -> None:
        """Start the app if it does not run, and wait until its check on the private IP answers as expected."""

    def probe(self, server: Server) -> str:
        """Ask the app on a server for its check once, without starting anything; say what is wrong, "" = nothing."""

    def probe_through(self, balancer: LoadBalancer) -> str:
        """Ask the app for its check through a virtual IP, from here; say what is wrong, "" = nothing.

        Where the listener's protocol is not HTTP, that it takes a connection is all that is asked.
        """

    def connections(self, server: Server) -> int | None:
        """Count the established connections to the app's node port; None when the server cannot be asked."""

    def seal(self, server: Server) -> None:
        """Take our key away and switch the SSH server off for good; return when its port refuses connections."""

    def stop(self) -> None:
        """End every command that is under way, on every server; those calls raise Interrupted or a HostError."""

    def close(self) -> None:
        """Close all connections. After `stop` this also allows new ones."""


class Hooks(Protocol):
    """The operator's own commands at the turning points of a deploy, run here, by the names of their settings."""

    def run(self, hook: str, about: Mapping[str, str]) -> str:
        """Run one to its end, with these variables in its environment; say what is wrong.

        "" = nothing, or there is no such command.

        :raises Interrupted: it was told to stop.
        """

    def stop(self) -> None:
        """End those that are under way, as Interrupted, and allow none until `close`."""

    def close(self) -> None:
        """Allow runs again."""


class Watcher(Protocol):
    """The operator's own command that says whether all is well, run here beside the rollout."""

    def probe(self, about: Mapping[str, str]) -> str:
        """Run it once, with these variables in its environment; say what is wrong.

        "" = nothing, or there is no such command.
        """

    def stop(self) -> None:
        """End the run that is under way, as Interrupted, and allow none until `close`."""

    def close(self) -> None:
        """Allow runs again."""
