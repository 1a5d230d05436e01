"""Looking at servers that serve: the new ones for a while after each batch, the old ones around the migrations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.errors import Breached, CheckFailed, CloudError, HostError, TimedOut
from tasks.rollout import steps
from tasks.rollout.goal import Goal
from tasks.rollout.hooks import variables
from tasks.rollout.model import Condition, LoadBalancer, NodeStatus, Server
from tasks.rollout.observation import Moment, Observation, Probed, Watched
from tasks.rollout.ports import Balancers, Hosts, Watcher
from tasks.waiting import Clock, Patience, until

PROBE_PATIENCE = Patience(limit=10.0, first=0.5, longest=2.0)
SAME_AGAIN = 2
"""How many looks in a row have to find something wrong: one may have met a packet that got lost."""


@dataclass(frozen=True, kw_only=True)
class WatchActs:
    """Performs the steps that only look."""

    goal: Goal
    balancers: Balancers
    hosts: Hosts
    watcher: Watcher
    clock: Clock

    def probe_old(self, step: steps.ProbeOld, seen: Observation) -> Probed:
        """Ask a server that serves for its check.

        :raises CheckFailed: it answered before the migrations, and does not any more.
        """
        server = seen.server(step.server_id)
        problem = self._probe(server) if server else ""
        if server and problem and step.moment is Moment.AFTER:
            if not self._is_still_wrong(server):
                return Probed(server_id=step.server_id, moment=step.moment, problem="")
            raise CheckFailed(
                f"{server.name}, which serves the release before this one, was well before the migrations, and is not "
                f"since they ran: {problem}",
                server=server.name,
                advice="The migrations are not undone: look at the site now. Make them such that the old release bears "
                "them (add first, remove in a later release), or deploy with no old servers in rotation.",
            )
        return Probed(server_id=step.server_id, moment=step.moment, problem=problem)

    def probe_new(self, step: steps.ProbeNew, seen: Observation) -> Probed:
        """Ask a new server for its check, when load balancers send it requests.

        :raises CheckFailed: it does not answer as expected.
        """
        server = seen.server(step.server_id)
        problem = self._probe(server) if server else "it has vanished"
        if problem and (server is None or self._is_still_wrong(server)):
            name = server.name if server else step.server_id
            raise CheckFailed(f"{name} was put into rotation, and is not well there: {problem}", server=name)
        return Probed(server_id=step.server_id, moment=Moment.ROTATED, problem="")

    def _is_still_wrong(self, server: Server) -> bool:
        try:
            until(
                lambda: None if self._probe(server) else True,
                what=server.name,
                patience=PROBE_PATIENCE,
                clock=self.clock,
            )
        except TimedOut:
            return True
        return False

    def watch(self, step: steps.Watch, seen: Observation) -> Watched:
        """Watch the new servers in rotation for as long as the goal says.

        :raises Breached: two looks in a row found something wrong.
        """
        new = [one for one in seen.generation(self.goal.generation) if all(lb.sends_to(one) for lb in seen.balancers)]
        end = self.clock.now() + self.goal.pace.watch
        found: list[str] = []

        def look() -> Watched | None:
            problem = next(self._problems(new, seen), "")
            found[:] = [*found, problem] if problem else []
            if len(found) >= SAME_AGAIN:
                raise Breached(f"the new servers served, and this was wrong: {problem}")
            return Watched(count=step.count) if not found and self.clock.now() >= end else None

        patience = Patience(limit=self.goal.pace.watch + 60, first=1.0, longest=2.0)
        return until(look, what="the new servers to pass the watch", patience=patience, clock=self.clock)

    def _problems(self, new: list[Server], seen: Observation) -> Iterator[str]:
        for balancer in seen.balancers:
            yield from self._node_problems(balancer.id, {server.private_ip: server.name for server in new})
        for server in new:
            problem = self._probe(server)
            if problem:
                yield f"{server.name}: {problem}"
        for balancer in seen.balancers:
            problem = self._probe_through(balancer)
            if problem:
                yield f"through load balancer {balancer.name}: {problem}"
        problem = self.watcher.probe(variables(self.goal, seen))
        if problem:
            yield problem

    def _probe(self, server: Server) -> str:
        try:
            return self.hosts.probe(server)
        except HostError as error:
            return error.problem

    def _probe_through(self, balancer: LoadBalancer) -> str:
        try:
            return self.hosts.probe_through(balancer)
        except HostError as error:
            return error.problem

    def _node_problems(self, balancer_id: str, names: dict[str | None, str]) -> Iterator[str]:
        try:
            balancer = self.balancers.show(balancer_id)
        except CloudError:
            return  # an API that does not answer says nothing about the servers
        nodes = {node.address: node for node in balancer.nodes}
        for address, name in names.items():
            node = nodes.get(address or "")
            if node is None or node.condition is not Condition.ENABLED:
                yield f"load balancer {balancer.name} does not send requests to {name} any more"
            elif node.status is NodeStatus.OFFLINE:
                yield f"load balancer {balancer.name} finds {name} OFFLINE"
