"""What can be done, as comparable values. A step says what, never how; `performing` does it.

Every step has a subject: a server, a slot or a load balancer. Two steps on the same subject never run at once, so that
there is one change at a time per load balancer and per server.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.rollout.model import Condition, Listener, Spare
from tasks.rollout.observation import Hook, Moment


@dataclass(frozen=True, kw_only=True)
class TakeClaim:
    """Take the claim, which one deploy at a time can hold; it is written to a server's metadata."""

    server_id: str

    @property
    def subject(self) -> str:
        """The claim."""
        return "claim"


@dataclass(frozen=True, kw_only=True)
class OnSlot:
    """A step for a slot of the generation, which has no server yet."""

    slot: int

    @property
    def subject(self) -> str:
        """The slot: at most one server is asked for at a time."""
        return f"slot {self.slot}"


@dataclass(frozen=True, kw_only=True)
class OnServer:
    """A step on one server."""

    server_id: str

    @property
    def subject(self) -> str:
        """The server."""
        return f"server {self.server_id}"


@dataclass(frozen=True, kw_only=True)
class OnBalancer:
    """A step on one load balancer, concerning the nodes at these addresses."""

    balancer: str
    addresses: frozenset[str]

    @property
    def subject(self) -> str:
        """The load balancer, by name."""
        return f"load balancer {self.balancer}"


class CreateServer(OnSlot):
    """Ask the cloud for the server of a slot."""


@dataclass(frozen=True, kw_only=True)
class GiveUp(OnSlot):
    """Fail: builds for this slot have failed as often as we were willing to ask."""

    fault: str


@dataclass(frozen=True, kw_only=True)
class WatchBuilds:
    """Look at the list of servers until one that is being built is ready or has failed. One call for all builds."""

    server_ids: frozenset[str]

    @property
    def subject(self) -> str:
        """All builds together."""
        return "builds"


@dataclass(frozen=True, kw_only=True)
class ReplaceBuild(OnServer):
    """Delete a server whose build has failed, or that cannot be trusted, so that its slot is asked for again."""

    slot: int


class SetUp(OnServer):
    """Push the release and the bootstrap scripts to a server and run them."""


class Migrate(OnServer):
    """Run the app's migrations, on one server of the generation."""


class TestApp(OnServer):
    """Run the app's own unit tests on a server."""

    __test__ = False  # pytest is not meant to collect it


class Check(OnServer):
    """Start the app on a server and wait until it answers its check."""


@dataclass(frozen=True, kw_only=True)
class ProbeOld(OnServer):
    """Ask a server that serves for its check: the migrations must not break the old release."""

    moment: Moment


class ProbeNew(OnServer):
    """Ask a server that was put into rotation for its check, before another one leaves: not every node is monitored."""


@dataclass(frozen=True, kw_only=True)
class GiveUpRoom:
    """Fail: there is no room for another new server, and no old one can be spared."""

    missing: int

    @property
    def subject(self) -> str:
        """All servers that are still wanted."""
        return "room"


@dataclass(frozen=True, kw_only=True)
class CreateBalancer:
    """Create the load balancer of a listener; it shares the virtual IPs of the one named, if any."""

    listener: Listener
    share_with: str | None

    @property
    def subject(self) -> str:
        """The load balancer to be, by name."""
        return f"load balancer {self.listener.name}"


@dataclass(frozen=True, kw_only=True)
class AddNodes(OnBalancer):
    """Add addresses to a load balancer, ENABLED, in one change."""

    port: int


@dataclass(frozen=True, kw_only=True)
class SetCondition(OnBalancer):
    """Tell a load balancer how to treat nodes: DRAINING for old ones, ENABLED to put them back."""

    condition: Condition


class AwaitOnline(OnBalancer):
    """Look at a load balancer until it is ACTIVE and these nodes are ONLINE."""


class RemoveNodes(OnBalancer):
    """Take addresses out of a load balancer."""


class RemoveGone(OnBalancer):
    """Take addresses out of a load balancer at which servers of ours were, and nothing is any more."""


class AwaitDrained(OnServer):
    """Wait until no connection to a server's node port is left, or the drain limit passes."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Watch this many new servers for a while: their nodes, their checks, the virtual IPs, the operator's command."""

    count: int

    @property
    def subject(self) -> str:
        """The new servers together."""
        return "watch"


@dataclass(frozen=True, kw_only=True)
class RunHook:
    """Run the operator's own command for this turning point of the rotation."""

    hook: Hook

    @property
    def subject(self) -> str:
        """The hook."""
        return f"hook {self.hook}"


class MarkServing(OnServer):
    """Write to a server's metadata that it serves."""


class Park(OnServer):
    """Keep a server that left the rotation running, for a rollback; write until when to its metadata."""


class Keep(OnServer):
    """Keep a server that failed, out of rotation, for somebody to look at; write until when to its metadata."""


class Seal(OnServer):
    """Take our key away from a server that serves, and switch its SSH server off for good."""


class RetireServer(OnServer):
    """Delete a server that serves no traffic, and wait until it is gone."""


@dataclass(frozen=True, kw_only=True)
class Discard:
    """Delete a keypair or an image that no server uses."""

    spare: Spare

    @property
    def subject(self) -> str:
        """The keypair or image."""
        return f"{self.spare.kind} {self.spare.id}"


Step = (
    TakeClaim
    | CreateServer
    | GiveUp
    | WatchBuilds
    | ReplaceBuild
    | SetUp
    | Migrate
    | TestApp
    | Check
    | ProbeOld
    | ProbeNew
    | GiveUpRoom
    | CreateBalancer
    | AddNodes
    | SetCondition
    | AwaitOnline
    | RemoveNodes
    | RemoveGone
    | AwaitDrained
    | Watch
    | RunHook
    | MarkServing
    | Park
    | Keep
    | Seal
    | RetireServer
    | Discard
)


def in_order(bag: Iterable[Step]) -> list[Step]:
    """Give steps in an order that is the same in every run: by kind, then by subject, which one of a kind has alone."""
    return sorted(bag, key=lambda step: (type(step).__name__, step.subject))
