"""Finding and making what stands behind one listener of ours in Octavia: load balancer, pool, monitor, listener.

The listener is made last, so that one that is found is complete; a creation that was cut short is taken up where it
ended. Every part locks the whole load balancer until the next one may be sent, so this waits between them. Refuses to
know of members.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tasks.cloud import octavia_bodies, vip
from tasks.cloud.faults import Stuck
from tasks.cloud.networks import NetworkApi
from tasks.cloud.octavia_api import Body, OctaviaApi
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import Conflict, Immutable, NotFound, SettingsError
from tasks.findings import Finding, looked
from tasks.rollout.model import BalancerStatus, Listener
from tasks.waiting import Patience, until

WITH_TAGS = "v2.5"
# A load balancer may be made of servers that have to boot first. In seconds.
BUILDING = Patience(limit=900.0)


@dataclass(frozen=True, kw_only=True)
class Creation:
    """Finds and makes the parts for one app and environment."""

    api: OctaviaApi
    profile: BalancerProfile
    networks: NetworkApi

    def shared(self) -> Body | None:
        """Find the load balancer that all our listeners are on; one that goes away does not count.

        :raises Conflict: two have its name.
        """
        name = octavia_bodies.shared_name(self.profile)
        named = [body for body in self.api.listed("loadbalancers") if body["name"] == name]
        found = [body for body in named if octavia_bodies.status(body) is not BalancerStatus.DELETED]
        if len(found) > 1:
            raise Conflict(
                f"{len(found)} load balancers are named {name!r}: {', '.join(str(body['id']) for body in found)}",
                advice="delete or rename those that are not meant",
            )
        return next(iter(found), None)

    def listener(self, wanted: Listener, shared: Body) -> Body | None:
        """Find a listener of ours by name and port."""
        meant = (wanted.name, wanted.port)
        listed = self._on("listeners", shared)
        return next((body for body in listed if (body["name"], body["protocol_port"]) == meant), None)

    def findings(self, listeners: Sequence[Listener]) -> list[Finding]:
        """Say whether those listeners that are missing can be made."""
        shared = self.shared()
        found = [_finding("subnet of nodes", self.member_subnet, "set `balancers.member_subnet`")]
        if shared is None:
            vip = "set `balancers.vip_network` or `balancers.vip_subnet`"
            return [*found, _finding("place of the virtual IP", self._vip, vip)]
        there = [bool(self.listener(wanted, shared)) for wanted in listeners]
        if not any(there):
            # Where one of them is there already, the rollout sees whose it is.
            found.append(_finding("whose load balancer it is", partial(self.refuse_foreign, shared), ""))
        if not all(there):
            found.append(_finding("shared load balancer", partial(self.refuse_broken, str(shared["id"])), ""))
        return found

    def member_subnet(self) -> str:
        """Give the id of the subnet that the nodes are on; empty when the profile leaves it to Octavia."""
        wanted = self.profile.member_subnet
        return self.networks.identify("subnet", wanted) if wanted else ""

    def make(self, wanted: Listener) -> Body:
        """Make a listener, with whatever of its parts is missing, and give it as it was made.

        :raises Uncertain: an answer was lost: make it again, which finds what was made.
        :raises QuotaExceeded: the project may not have more of one of the parts.
        :raises Conflict: another listener has the port, or the load balancer of our name is not marked as ours.
        :raises Stuck: the load balancer is in ERROR.
        """
        shared = self.shared()
        if shared is None:
            shared = self._make_shared()
        else:
            self.refuse_foreign(shared)
        pool = self._pool(wanted, shared)
        if pool is None:
            pool = self._when_free("pools", octavia_bodies.pool(wanted, self.profile, shared["id"]), shared)
        if self.profile.monitor and not pool.get("healthmonitor_id"):
            monitor = octavia_bodies.monitor(self.profile.monitor, wanted, pool["id"])
            self._when_free("healthmonitors", monitor, shared)
        listener = octavia_bodies.listener(wanted, self.profile, shared["id"], pool["id"])
        return self._when_free("listeners", listener, shared)

    def adopt(self, shared: Body) -> None:
        """Mark a load balancer as ours, beside what it says already; one that is marked is left as it is.

        :raises Conflict: it carries the mark of another app or environment.
        :raises Immutable: it is busy; nothing was changed.
        """
        if theirs := octavia_bodies.other_marks(shared, self.profile):
            raise Conflict(
                f"load balancer {shared['name']} ({shared['id']}) is marked as another's: {', '.join(theirs)}",
                advice="use another one; or, if nobody needs that mark any more, take it away",
            )
        if octavia_bodies.is_marked(shared, self.profile):
            return
        try:
            change = octavia_bodies.marked(shared, self.profile, self._place)
            self.api.change(f"loadbalancers/{shared['id']}", {"loadbalancer": change})
        except Immutable:
            self.refuse_broken(str(shared["id"]))
            raise

    def refuse_foreign(self, shared: Body) -> None:
        """Return when a load balancer is marked as ours.

        :raises Conflict: it is not.
        """
        if not octavia_bodies.is_marked(shared, self.profile):
            mark = " and ".join(octavia_bodies.mark(self.profile))
            raise Conflict(
                f"load balancer {shared['name']} ({shared['id']}) has our name, but is not marked as ours",
                advice=f"rename it; or, if it is meant, write {mark} to its {self._place}",
            )

    def refuse_broken(self, shared_id: str) -> None:
        """Return when a load balancer that takes no changes is only busy.

        :raises Stuck: it is in ERROR.
        :raises NotFound: it is gone, or goes away.
        """
        shared = self.api.show(f"loadbalancers/{shared_id}")
        match octavia_bodies.status(shared):
            case BalancerStatus.ERROR:
                raise _stuck(shared)
            case BalancerStatus.DELETED:
                raise NotFound(f"load balancer {shared_id} is being deleted")

    def _pool(self, wanted: Listener, shared: Body) -> Body | None:
        unused = (body for body in self._on("pools", shared) if not body["listeners"])
        return next((body for body in unused if body["name"] == wanted.name), None)

    def _on(self, kind: str, shared: Body) -> list[Body]:
        listed = self.api.listed(kind, loadbalancer_id=shared["id"])
        return [body for body in listed if octavia_bodies.balancer_id(body) == shared["id"]]

    def _make_shared(self) -> Body:
        body = octavia_bodies.shared_balancer(self.profile, self._vip(), self._place)
        return self._when_free("loadbalancers", body, None)

    @property
    def _place(self) -> str:
        return octavia_bodies.TAGS if WITH_TAGS in self.api.versions else octavia_bodies.DESCRIPTION

    def _vip(self) -> dict[str, str]:
        return vip.choose(self.profile, self.networks)

    def _when_free(self, kind: str, body: dict[str, Any], shared: Body | None) -> Body:
        def made() -> Body | None:
            try:
                return self.api.make(kind, body)
            except Immutable:
                if shared:
                    self.refuse_broken(shared["id"])
                return None

        waited = f"one of the {kind} of {octavia_bodies.shared_name(self.profile)} to be accepted"
        return until(made, what=waited, patience=BUILDING, clock=self.api.clock)


def _stuck(shared: Body) -> Stuck:
    return Stuck(
        f"load balancer {shared['name']} ({shared['id']}) is in provisioning status ERROR",
        advice="waiting does not help: have the cloud's support fail it over, or delete it with all its parts "
        f"(openstack loadbalancer delete --cascade {shlex.quote(str(shared['id']))}): the next deploy makes a new one",
    )


def _finding(what: str, check: Callable[[], object], remedy: str) -> Finding:
    def look() -> str:
        check()
        return "nothing is in the way"

    return looked(what, look, remedy, wrong_when=(NotFound, Conflict, SettingsError, Stuck))
