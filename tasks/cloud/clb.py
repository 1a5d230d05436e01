"""Load balancers through Rackspace Cloud Load Balancers v1.0.

One load balancer per listener of ours; they share their virtual IPs. A change is sent once, and returns when the API
has accepted it. Refuses to wait until a change is done: look at the status afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from tasks.cloud import clb_bodies
from tasks.cloud.clb_metadata import BalancerMetadata
from tasks.cloud.faults import SUPPORT, Busy, NoSuchNodes, NotOffered, Stuck, doing
from tasks.cloud.identity import Access
from tasks.cloud.paging import whole
from tasks.cloud.parts import in_parts
from tasks.cloud.patient import Pace, PatientSession
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import CloudError, Conflict, Immutable, NotFound
from tasks.findings import Finding, fine, wrong
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer

SERVICE = "rax:load-balancer"
PAGE = 100
# CLB docs, limits: BATCH_DELETE_LIMIT and the defaults of NODE_LIMIT and LOADBALANCER_LIMIT.
BULK_DELETE = 10
NODE_LIMIT = 25
BALANCER_LIMIT = 25


class CloudLoadBalancers:
    """The load balancers of our listeners (the port Balancers). Threads may share it.

    :raises NotFound: the cloud has no such API in this region.
    """

    def __init__(self, access: Access, profile: BalancerProfile, pace: Pace | None = None) -> None:
        self._profile = profile
        self._pace = pace or Pace()
        session = PatientSession(access.session, api="load balancer", pace=self._pace)
        self._api = access.adapter(SERVICE, session, what="Cloud Load Balancers")
        self._metadata = BalancerMetadata(api=self._api, profile=profile)

    def find(self, listeners: Sequence[Listener]) -> tuple[LoadBalancer, ...]:
        """Find the load balancers of these listeners, by name and port, with their nodes.

        Those that are deleted, or go away while we look, do not count.

        :raises Conflict: two have the name and port of one listener.
        """
        with doing("finding the load balancers"):
            listed = self._listed()
            ids = [self._only(listener, listed) for listener in listeners]
            shown = (self._shown(balancer_id) for balancer_id in ids if balancer_id)
            return tuple(balancer for balancer in shown if balancer)

    def show(self, balancer_id: str) -> LoadBalancer:
        """Show one load balancer with its nodes.

        :raises NotFound: it does not exist, or no longer: 404, 410 and status DELETED all occur.
        """
        with doing(f"showing load balancer {balancer_id}"):
            body = self._api.get(f"/loadbalancers/{balancer_id}").json()["loadBalancer"]
            if body.get("status") == "DELETED":
                raise NotFound("it is deleted")
            return clb_bodies.balancer(body)

    def create(self, listener: Listener, share_with: LoadBalancer | None) -> LoadBalancer:
        """Create the load balancer of a listener, on the virtual IPs of `share_with` if given, without nodes.

        :raises Uncertain: the answer was lost; look by name and port.
        :raises QuotaExceeded: the account may not have more load balancers.
        """
        with doing(f"creating load balancer {listener.name} on port {listener.port}"):
            body = clb_bodies.creation(listener, self._profile, share_with)
            return clb_bodies.balancer(self._api.post("/loadbalancers", json=body).json()["loadBalancer"])

    def add_nodes(self, balancer_id: str, addresses: Mapping[str, str], port: int) -> None:
        """Add all these addresses, ENABLED, in one change; first the names of their servers are recorded, for `owners`.

        :raises Conflict: one of them is a node already; none was added.
        :raises Immutable: it is busy; none was added.
        :raises QuotaExceeded: they would be more nodes than it may have; none was added.
        """
        if addresses:
            with doing(f"adding {', '.join(addresses)} to load balancer {balancer_id}"):
                self._record(balancer_id, addresses)
                self._api.post(self._nodes(balancer_id), json=clb_bodies.new_nodes(addresses, port))

    def set_condition(self, balancer_id: str, node_ids: Sequence[str], condition: Condition) -> None:
        """Set the condition of all these nodes, in one change where the service is recent enough.

        :raises NotFound: one of them does not exist.
        :raises Immutable: it is busy; nothing was changed.
        """
        if not node_ids:
            return
        with doing(f"setting nodes {', '.join(node_ids)} of load balancer {balancer_id} {condition}"):
            try:
                body = clb_bodies.conditions(node_ids, condition)
                self._api.put(self._nodes(balancer_id), json=body)
            except (NotFound, NotOffered):
                # Before August 2021 the service had no bulk update (CLB docs, release notes).
                self._set_one_by_one(balancer_id, node_ids, condition)

    def remove_nodes(self, balancer_id: str, node_ids: Sequence[str]) -> None:
        """Remove these nodes, ten at a time. Those that are gone already, with or without it, are no error.

        :raises Immutable: it is busy; nothing was changed.
        """
        with doing(f"removing nodes {', '.join(node_ids)} from load balancer {balancer_id}"):
            tens = [node_ids[start : start + BULK_DELETE] for start in range(0, len(node_ids), BULK_DELETE)]
            in_parts(partial(self._remove, balancer_id), tens, what=_waited(balancer_id), clock=self._pace.clock)

    def knowing(self, address: str) -> tuple[str, ...]:
        """Give the names of all load balancers of the account, ours or not, that have a node at this address."""
        with doing(f"finding the load balancers that know {address}"):
            return tuple(str(body["name"]) for body in self._listed(nodeaddress=address))

    def node_limit(self) -> int:
        """Give the greatest number of nodes that one load balancer may have."""
        with doing("reading the limits of load balancers"):
            return self._limit("NODE_LIMIT", NODE_LIMIT)

    def findings(self, listeners: Sequence[Listener]) -> list[Finding]:
        """Say whether those of these listeners that are missing can be created.

        :raises CloudError: the API itself cannot be asked.
        """
        with doing("checking the load balancers"):
            listed = self._listed()
            missing = sum(self._only(listener, listed) is None for listener in listeners)
            allowed = self._limit("LOADBALANCER_LIMIT", BALANCER_LIMIT)
            what, use = "quota of load balancers", f"{len(listed)} of {allowed} load balancers are used"
            if not missing or len(listed) + missing <= allowed:
                return [fine(what, f"{use}, {missing or 'no'} more are needed")]
            return [wrong(what, f"{use}, and {missing} more are needed", "have it raised, or delete one")]

    def is_ours(self, balancer_id: str) -> bool:
        """Say whether a load balancer carries the mark of this app and environment: two metadata items."""
        with doing(f"finding out whose load balancer {balancer_id} is"):
            return self._metadata.is_ours(balancer_id)

    def adopt(self, balancer_id: str) -> None:
        """Mark a load balancer that somebody has made by hand. One that is marked so already is left as it is.

        :raises Conflict: it carries the mark of another app or environment.
        :raises Immutable: it is busy; nothing was changed.
        """
        with doing(f"marking load balancer {balancer_id}"):
            self._metadata.adopt(balancer_id)

    def owners(self, balancer_id: str) -> dict[str, str]:
        """Give, by address, the names of the servers for which we have added nodes to a load balancer.

        Of servers whose nodes are gone only as long as there is room for them.
        """
        with doing(f"reading whose nodes load balancer {balancer_id} has"):
            return self._metadata.owners(balancer_id)

    def _record(self, balancer_id: str, names: Mapping[str, str]) -> None:
        """Record for which servers nodes are added. Before they are, since a busy load balancer takes no record."""

        def present() -> set[str]:
            return {node.address for node in self.show(balancer_id).nodes}

        try:
            self._metadata.record(balancer_id, {address: name for address, name in names.items() if name}, present)
        except Immutable:
            raise
        except CloudError as error:
            # The site must not wait for a record that only clean-up reads.
            self._pace.on_wait(f"{error.problem}; without this record, `fab reap` will not know these nodes as ours")

    def _limit(self, name: str, default: int) -> int:
        limits = self._api.get("/loadbalancers/absolutelimits").json()["absolute"]
        return next((int(limit["value"]) for limit in limits if limit["name"] == name), default)

    def _listed(self, **filters: str) -> list[dict[str, Any]]:
        def page(query: dict[str, str]) -> Any:
            return self._api.get("/loadbalancers", params={**filters, "limit": str(PAGE), **query}).json()

        # The list has no link to the next page: a full one is followed by another (CLB docs, list load balancers).
        listed = whole(page, key="loadBalancers", more=lambda body: len(body["loadBalancers"]) == PAGE)
        return [body for body in listed if clb_bodies.status(body) is not BalancerStatus.DELETED]

    def _only(self, listener: Listener, listed: Sequence[dict[str, Any]]) -> str | None:
        wanted = (listener.name, listener.port)
        ids = [str(body["id"]) for body in listed if (body["name"], body.get("port")) == wanted]
        if len(ids) > 1:
            raise Conflict(
                f"{len(ids)} load balancers are named {listener.name!r} and listen on port {listener.port}: "
                f"{', '.join(ids)}",
                advice="delete or rename those that are not meant",
            )
        return next(iter(ids), None)

    def _shown(self, balancer_id: str) -> LoadBalancer | None:
        try:
            balancer = self.show(balancer_id)
        except NotFound:
            return None
        return None if balancer.status is BalancerStatus.DELETED else balancer

    def _set_one_by_one(self, balancer_id: str, node_ids: Sequence[str], condition: Condition) -> None:
        def put(node_id: str) -> None:
            self._api.put(f"{self._nodes(balancer_id)}/{node_id}", json=clb_bodies.one_condition(condition))

        in_parts(put, node_ids, what=_waited(balancer_id), clock=self._pace.clock)

    def _remove(self, balancer_id: str, node_ids: Sequence[str]) -> None:
        """Remove at most ten nodes. One id that is gone makes the API refuse them all, so the others are sent again."""
        left = set(node_ids)
        while left:
            try:
                self._api.delete(self._nodes(balancer_id), params={"id": sorted(left, key=int)})
            except NoSuchNodes as refused:
                if not refused.node_ids & left:
                    raise
                left -= refused.node_ids
            except Busy:
                if self._going_away(balancer_id):
                    return
                raise
            except NotFound:
                return
            else:
                return

    def _going_away(self, balancer_id: str) -> bool:
        """Find out what the refusal of a bulk delete hides; Stuck when the load balancer is broken."""
        try:
            status = self.show(balancer_id).status
        except NotFound:
            return True
        if status is BalancerStatus.ERROR:
            raise Stuck(f"load balancer {balancer_id} is in ERROR or suspended", advice=SUPPORT)
        return status is BalancerStatus.DELETED

    def _nodes(self, balancer_id: str) -> str:
        return f"/loadbalancers/{balancer_id}/nodes"


def _waited(balancer_id: str) -> str:
    return f"load balancer {balancer_id}"
