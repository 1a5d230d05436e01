"""Load balancers through Octavia v2.

All listeners of an app and environment are on one load balancer, and share its virtual IP; each has a pool of its own.
Such a listener with its pool is what the rollout calls a load balancer, and has the listener's id. A change is sent
once, and returns when the API has accepted it. Refuses to wait until a change is done: look at the status afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from tasks.cloud import octavia_bodies
from tasks.cloud.faults import doing
from tasks.cloud.identity import Access
from tasks.cloud.networks import NetworkApi
from tasks.cloud.octavia_api import Body, OctaviaApi
from tasks.cloud.octavia_creation import Creation
from tasks.cloud.octavia_members import Members
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import Conflict, NotFound, Unauthorized
from tasks.findings import Finding
from tasks.rollout.model import BalancerStatus, Condition, Listener, LoadBalancer

UNLIMITED = sys.maxsize


class OctaviaLoadBalancers:
    """The load balancers of our listeners (the port Balancers). Threads may share it.

    :raises NotFound: the cloud has no such API in this region.
    """

    def __init__(self, access: Access, profile: BalancerProfile, pace: Pace | None = None) -> None:
        pace = pace or Pace()
        self._api = OctaviaApi(access, pace)
        self._profile = profile
        self._creation = Creation(api=self._api, profile=profile, networks=NetworkApi(access, pace))

    def find(self, listeners: Sequence[Listener]) -> tuple[LoadBalancer, ...]:
        """Find these listeners, by name and port, with their nodes.

        Those that go away, or are not complete yet, do not count.

        :raises Conflict: two load balancers have the name of our app and environment.
        """
        with doing("finding the load balancers"):
            shared = self._creation.shared()
            found = [self._creation.listener(wanted, shared) for wanted in listeners] if shared else []
            shown = (self._shown(str(listener["id"])) for listener in found if listener)
            return tuple(balancer for balancer in shown if balancer)

    def show(self, balancer_id: str) -> LoadBalancer:
        """Show one listener with its nodes. It is PENDING while anything on its load balancer is being changed.

        :raises NotFound: it does not exist, or no longer.
        """
        with doing(f"showing load balancer {balancer_id}"):
            return self._read(balancer_id)

    def create(self, listener: Listener, share_with: LoadBalancer | None) -> LoadBalancer:  # noqa: ARG002  ours all share
        """Create a listener with its pool, without nodes, and the load balancer they are on if there is none yet.

        This waits between the parts, as long as a new load balancer takes to be built.

        :raises Uncertain: an answer was lost; creating it again goes on where this ended.
        :raises QuotaExceeded: the project may not have more load balancers, listeners, pools or monitors.
        :raises Conflict: another listener has the port, or the load balancer of our name is somebody else's.
        """
        with doing(f"creating load balancer {listener.name} on port {listener.port}"):
            return self._read(str(self._creation.make(listener)["id"]))

    def add_nodes(self, balancer_id: str, addresses: Mapping[str, str], port: int) -> None:
        """Add all these addresses, ENABLED, in one change where the API is recent enough; named as their servers.

        :raises Conflict: one of them is a node already; none was added.
        :raises Immutable: the load balancer is busy; none was added.
        :raises QuotaExceeded: they would be more nodes than the project may have.
        """
        if not addresses:
            return
        with doing(f"adding {', '.join(addresses)} to load balancer {balancer_id}"):
            members = self._members(balancer_id)
            there = {member["address"] for member in members.listed() if member["protocol_port"] == port}
            # A batch would change a member that is there, without a word.
            if twice := sorted(there & addresses.keys()):
                raise Conflict(f"{', '.join(twice)} port {port} is a node already")
            subnet = self._creation.member_subnet()
            members.add(octavia_bodies.new_members(addresses, port, subnet))

    def set_condition(self, balancer_id: str, node_ids: Sequence[str], condition: Condition) -> None:
        """Set the condition of all these nodes, in one change where the API is recent enough.

        :raises NotFound: one of them does not exist; nothing was changed.
        :raises Immutable: the load balancer is busy; nothing was changed.
        """
        if not node_ids:
            return
        with doing(f"setting nodes {', '.join(node_ids)} of load balancer {balancer_id} {condition}"):
            members = self._members(balancer_id)
            found = {str(member["id"]): member for member in members.listed()}
            if missing := [node_id for node_id in node_ids if node_id not in found]:
                raise NotFound(f"it has no node {', '.join(missing)}")
            changes = [(found[node_id], octavia_bodies.in_condition(found[node_id], condition)) for node_id in node_ids]
            members.change(changes)

    def remove_nodes(self, balancer_id: str, node_ids: Sequence[str]) -> None:
        """Remove these nodes, one after the other. Those that are gone, with or without it, are no error.

        :raises Immutable: the load balancer is busy; nothing was changed.
        """
        if not node_ids:
            return
        with doing(f"removing nodes {', '.join(node_ids)} from load balancer {balancer_id}"):
            try:
                self._members(balancer_id).remove(node_ids)
            except NotFound:
                return

    def knowing(self, address: str) -> tuple[str, ...]:
        """Give the names of all pools of the project, ours or not, that have a member at this address."""
        with doing(f"finding the load balancers that know {address}"):
            pools = [pool for pool in self._api.listed("pools") if pool["members"]]
            return tuple(str(pool["name"] or pool["id"]) for pool in pools if self._has(pool, address))

    def node_limit(self) -> int:
        """Give the greatest number of nodes that one load balancer may have: a share of the project's quota.

        What other pools of the project have is taken off first, and the rest divided among ours.
        """
        with doing("reading the quota of members"):
            quota = self._quota()
            if quota < 0:
                return UNLIMITED
            shared = self._creation.shared()
            pools = self._api.listed("pools")
            ours = [pool for pool in pools if shared and octavia_bodies.balancer_id(pool) == shared["id"]]
            others = sum(len(pool["members"]) for pool in pools if pool not in ours)
            return max(quota - others, 0) // max(len(ours), 1)

    def findings(self, listeners: Sequence[Listener]) -> list[Finding]:
        """Say whether those of these listeners that are missing can be created.

        What may keep them: no clear choice of a subnet, a load balancer in ERROR, or one of our name that is somebody
        else's.

        :raises CloudError: the API itself cannot be asked.
        """
        with doing("checking the load balancer"):
            return self._creation.findings(listeners)

    def is_ours(self, balancer_id: str) -> bool:
        """Say whether the load balancer that a listener is on carries the mark of this app and environment."""
        with doing(f"finding out whose load balancer {balancer_id} is"):
            return octavia_bodies.is_marked(self._shared(balancer_id), self._profile)

    def adopt(self, balancer_id: str) -> None:
        """Mark the load balancer that a listener is on, with all its listeners; a change like any other.

        One that is marked so already is left as it is.

        :raises Conflict: it carries the mark of another app or environment.
        :raises Immutable: it is busy; nothing was changed.
        """
        with doing(f"marking load balancer {balancer_id}"):
            self._creation.adopt(self._shared(balancer_id))

    def owners(self, balancer_id: str) -> dict[str, str]:
        """Give, by address, the names of the servers for which we have added the nodes that there are."""
        with doing(f"reading whose nodes load balancer {balancer_id} has"):
            named = ((member["address"], member) for member in self._members(balancer_id).listed())
            found = {address: octavia_bodies.owner(member, self._profile) for address, member in named}
            return {address: name for address, name in found.items() if name}

    def _quota(self) -> int:
        try:
            most = self._api.show(f"quotas/{self._api.project}").get("member")
        except (NotFound, Unauthorized):
            return -1
        return -1 if most is None else int(most)

    def _has(self, pool: Body, address: str) -> bool:
        try:
            members = self._api.listed(f"pools/{pool['id']}/members")
        except NotFound:
            return False
        return any(member["address"] == address for member in members)

    def _shown(self, listener_id: str) -> LoadBalancer | None:
        try:
            balancer = self._read(listener_id)
        except NotFound:
            return None
        return None if balancer.status is BalancerStatus.DELETED else balancer

    def _shared(self, listener_id: str) -> Body:
        listener = self._api.show(f"listeners/{listener_id}")
        return self._api.show(f"loadbalancers/{octavia_bodies.balancer_id(listener)}")

    def _read(self, listener_id: str) -> LoadBalancer:
        """Read the load balancer before its nodes: when it is ACTIVE, they are as the last change left them."""
        listener = self._listener(listener_id)
        shared = self._api.show(f"loadbalancers/{octavia_bodies.balancer_id(listener)}")
        pool = self._api.show(f"pools/{listener['default_pool_id']}")
        members = self._api.listed(f"pools/{pool['id']}/members")
        return octavia_bodies.balancer(shared, listener, pool, members)

    def _members(self, listener_id: str) -> Members:
        listener = self._listener(listener_id)
        return Members(
            api=self._api,
            shared_id=octavia_bodies.balancer_id(listener),
            pool_id=str(listener["default_pool_id"]),
            refuse_broken=self._creation.refuse_broken,
        )

    def _listener(self, listener_id: str) -> Body:
        """Show a listener that has a pool.

        :raises NotFound: there is none, or somebody took its pool away.
        """
        listener = self._api.show(f"listeners/{listener_id}")
        if not listener["default_pool_id"]:
            raise NotFound(f"listener {listener['name']} ({listener_id}) has no default pool")
        return listener
