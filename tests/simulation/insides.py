"""The insides of the simulated servers: what their stages do there, and whether their app answers."""

from tasks.errors import CheckFailed, CommandFailed
from tasks.rollout.model import Condition, NodeStatus


class Insides:
    """All servers of the account from inside."""

    def __init__(self, world):
        self._world = world

    def stage(self, stage, server):
        """Run a stage to its end."""
        machine = self._world.servers.inside(server)
        self._world.ran.append((stage, server.name))
        match stage:
            case "migrate":
                self._world.laws.may_migrate(machine)
                self._world.migrated.add(machine.generation)
            case "test" if server.labels.release in self._world.failing:
                raise CommandFailed(server=server.name, stage="test", command="test", exit_code=1, tail="1 failed")
            case "check":
                self._start(machine, server)
            case "seal":
                machine.locked = True
        machine.stages.add(stage)

    def awaits_reboot(self, server):
        """Say whether a server has not been rebooted yet."""
        return not self._world.servers.inside(server).reboots

    def connections(self, server):
        """Count a server's open connections."""
        return self._world.balancers.connections(self._world.servers.inside(server))

    def probe(self, server):
        """Ask a server's app: it needs no login."""
        machine = self._world.servers.by_id.get(server.id)
        return "" if machine and machine.up else f"{server.name} does not answer"

    def probe_through(self, balancer):
        """Ask the app as users do."""
        known = self._world.balancers.by_id[balancer.id]
        serving = (
            n for n in known.nodes.values() if n.condition is Condition.ENABLED and n.status is NodeStatus.ONLINE
        )
        return "" if any(node.machine and node.machine.up for node in serving) else f"{balancer.name} does not answer"

    def _start(self, machine, server):
        if machine.broken or server.labels.release in self._world.mute:
            raise CheckFailed(f"{server.name} answers 500", server=server.name)
        machine.up = True
        self._world.balancers.probe(machine)
