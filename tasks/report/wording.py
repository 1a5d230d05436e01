"""Steps in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.rollout import steps
from tasks.rollout.model import Server

# While it is under way, when it is done, and in a plan.
WORDS: dict[type, tuple[str, str, str]] = {
    steps.TakeClaim: ("taking the claim", "the claim is ours", "take the claim: one deploy at a time rotates"),
    steps.CreateServer: ("asking for server {about}", "server {about} asked for", "create server {about}"),
    steps.GiveUp: ("giving up slot {about}", "slot {about} given up: {step.fault}", "fail: {step.fault}"),
    steps.WatchBuilds: ("building {about}", "{about} booted", "wait until built: {about}"),
    steps.ReplaceBuild: ("replacing {about}", "{about} deleted, to be replaced", "delete {about}, which is of no use"),
    steps.SetUp: ("setting up {about}", "{about} set up", "set up {about}"),
    steps.Migrate: ("migrating on {about}", "{about} ran the migrations", "run the migrations on {about}"),
    steps.TestApp: ("testing {about}", "{about} passed the app's tests", "run the app's tests on {about}"),
    steps.Check: ("checking {about}", "{about} answers its check", "start the app on {about} and check it"),
    steps.ProbeOld: (
        "asking {about} for its check",
        "{about} was asked for its check {step.moment} the migrations",
        "look whether {about}, which serves, is well {step.moment} the migrations",
    ),
    steps.ProbeNew: (
        "asking {about} for its check in rotation",
        "{about} answers its check in rotation",
        "ask {about} for its check once more, in rotation",
    ),
    steps.GiveUpRoom: (
        "giving up for want of room",
        "given up: no room for {room}",
        "fail: no room for {room}, and no old one can leave before",
    ),
    steps.CreateBalancer: (
        "creating {about}",
        "load balancer {about} created on port {step.listener.port}",
        "create load balancer {about} on port {step.listener.port}",
    ),
    steps.AddNodes: ("adding nodes to {about}", "{about} sends requests to {nodes}", "add to {about}: {nodes}"),
    steps.SetCondition: (
        "setting nodes of {about}",
        "{about} has set {nodes} {step.condition}",
        "set {step.condition} on {about}: {nodes}",
    ),
    steps.AwaitOnline: (
        "waiting for nodes of {about}",
        "{about} finds {nodes} ONLINE",
        "wait until ONLINE on {about}: {nodes}",
    ),
    steps.RemoveNodes: ("removing nodes from {about}", "{about} has let go of {nodes}", "remove from {about}: {nodes}"),
    steps.RemoveGone: (
        "removing nodes from {about}",
        "{about} has let go of {nodes}, whose server is gone",
        "remove from {about}, since the server is gone: {nodes}",
    ),
    steps.Discard: ("deleting {about}", "{about} deleted", "delete {about}, which no server uses"),
    steps.AwaitDrained: ("draining {about}", "{about} has drained", "wait until nobody is connected to {about}"),
    steps.Watch: (
        "watching {about}",
        "{about} passed the watch",
        "watch {about}",
    ),
    steps.RunHook: ("running {about}", "{about} was run", "run {about}"),
    steps.Park: ("parking {about}", "{about} is parked", "park {about}"),
    steps.Keep: ("keeping {about}", "{about} is kept, to be looked at", "keep {about}, to be looked at"),
    steps.MarkServing: ("marking {about}", "{about} serves", "mark as serving: {about}"),
    steps.Seal: ("sealing {about}", "{about} is sealed: nobody can log in any more", "seal {about}: no login any more"),
    steps.RetireServer: ("deleting {about}", "{about} deleted", "delete {about}"),
}

STAGES: dict[type, str] = {
    steps.WatchBuilds: "boot",
    steps.SetUp: "set up",
    steps.Migrate: "migrate",
    steps.TestApp: "test",
    steps.Check: "check",
    steps.AddNodes: "rotate in",
    steps.Watch: "watch",
    steps.AwaitDrained: "drain",
    steps.Seal: "seal",
    steps.RetireServer: "retire",
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """Turns what the cloud calls things into what an operator reads.

    :param prefix: what all names of an app and environment begin with; left out, since it tells nothing.
    :param servers: the names of the servers that are known, by id and by private IP.
    """

    prefix: str
    servers: Mapping[str, str]

    @staticmethod
    def of(servers: Iterable[Server]) -> dict[str, str]:
        """Give the names of servers by id and by private IP."""
        return {key: server.name for server in servers for key in (server.id, server.private_ip) if key}

    def __call__(self, key: str) -> str:
        """Give the short name of a server, by id, private IP or name, or of a load balancer."""
        return self.servers.get(key, key).removeprefix(self.prefix)


def counted(number: int, what: str) -> str:
    """Give a number of things, in the singular when it is one."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def watched(seconds: float, command: str) -> str:
    """Say for how long a watch looks, and at what; what the operator's own command is may be no one's business."""
    long = f" for {seconds:g} s" if seconds else ""
    return f"{long}: nodes, checks, virtual IPs{', `commands.watch`' if command else ''}"


def subject(step: steps.Step, name: Names) -> str:  # noqa: PLR0911  one return a kind
    """Say what a step is about: a slot, servers or a load balancer."""
    match step:
        case steps.TakeClaim() | steps.GiveUpRoom():
            return ""
        case steps.Discard():
            return f"{step.spare.kind} {step.spare.name}"
        case steps.RunHook():
            return f"hooks.{step.hook}"
        case steps.Watch():
            return counted(step.count, "new server")
        case steps.OnSlot():
            return str(step.slot)
        case steps.WatchBuilds():
            return ", ".join(sorted(name(server_id) for server_id in step.server_ids))
        case steps.OnServer():
            return name(step.server_id)
        case steps.OnBalancer():
            return name(step.balancer)
        case steps.CreateBalancer():
            return name(step.listener.name)


def doing(step: steps.Step, name: Names) -> str:
    """Say that a step is under way."""
    return _worded(WORDS[type(step)][0], step, name)


def done(step: steps.Step, name: Names) -> str:
    """Say that a step has been done."""
    return _worded(WORDS[type(step)][1], step, name)


def planned(step: steps.Step, name: Names) -> str:
    """Say what a step will do."""
    return _worded(WORDS[type(step)][2], step, name)


def _worded(template: str, step: steps.Step, name: Names) -> str:
    nodes = ", ".join(sorted(map(name, step.addresses))) if isinstance(step, steps.OnBalancer) else ""
    room = counted(step.missing, "more new server") if isinstance(step, steps.GiveUpRoom) else ""
    return template.format(about=subject(step, name), step=step, nodes=nodes, room=room)
