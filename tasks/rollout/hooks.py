"""The operator's own commands at the turning points of a deploy: which there are, and what they are told.

Refuses to know how a command is run. What it is told stands in variables, since names come from elsewhere. Those of
the rotation are steps of the plan; those around the whole verb are run by whoever runs the verb.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.errors import RotationRefused
from tasks.rollout.goal import Goal
from tasks.rollout.observation import Hook, HookRan, Observation
from tasks.rollout.ports import Hooks
from tasks.rollout.steps import RunHook


def variables(goal: Goal, seen: Observation) -> dict[str, str]:
    """Give what every command of the operator's finds in its environment.

    The servers are those of the goal's generation, in the order of their slots, names and private IPs alike.
    """
    new = seen.generation(goal.generation)
    ips = (ip.address for balancer in seen.balancers for ip in balancer.virtual_ips)
    return {
        "DEPLOY_APP": goal.app,
        "DEPLOY_ENVIRONMENT": goal.environment,
        "DEPLOY_VERB": goal.verb,
        "DEPLOY_GENERATION": goal.generation,
        "DEPLOY_RELEASE": goal.release,
        "DEPLOY_SERVERS": " ".join(server.name for server in new),
        "DEPLOY_PRIVATE_IPS": " ".join(server.private_ip or "-" for server in new),
        "DEPLOY_VIRTUAL_IPS": " ".join(dict.fromkeys(ips)),
    }


def tell(hook: Hook, hooks: Hooks, about: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Run a command that can change nothing any more: when it fails, that is said.

    :raises Interrupted: everything was told to stop meanwhile.
    """
    problem = hooks.run(hook, about)
    if problem:
        say(f"hooks.{hook} failed, which changes nothing: {problem}")


@dataclass(frozen=True, kw_only=True)
class HookActs:
    """Performs the steps that run a command of the operator's. `say` tells the operator what is no step."""

    goal: Goal
    hooks: Hooks
    say: Callable[[str], None]

    def run(self, step: RunHook, seen: Observation) -> HookRan:
        """Run the command; whether it may stop the rotation depends on when it is run.

        :raises RotationRefused: it failed before the rotation.
        """
        about = variables(self.goal, seen)
        if step.hook is Hook.BEFORE_ROTATE:
            self._ask(about)
        else:
            tell(step.hook, self.hooks, about, self.say)
        return HookRan(hook=step.hook)

    def _ask(self, about: Mapping[str, str]) -> None:
        problem = self.hooks.run(Hook.BEFORE_ROTATE, about)
        if problem:
            raise RotationRefused(f"hooks.before_rotate did not allow the rotation: {problem}")
