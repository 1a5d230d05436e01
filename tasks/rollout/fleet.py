"""Questions about the servers that were seen: which generation is newest, which is ready, who is meant by a name."""

from __future__ import annotations

from collections import Counter

from tasks.errors import SettingsError
from tasks.rollout.labels import Phase
from tasks.rollout.model import Server, ServerStatus
from tasks.rollout.observation import Observation


def newest(seen: Observation) -> tuple[Server, ...]:
    """Give the servers of the newest generation.

    :raises SettingsError: there are no servers at all.
    """
    generations = seen.generations()
    if not generations:
        raise SettingsError("there are no servers yet", advice="`fab servers.create` or `fab deploy` makes some.")
    return seen.generation(generations[0])


def releases(seen: Observation) -> set[str]:
    """Give the ids of all releases that servers carry."""
    return {server.labels.release for server in seen.servers}


def is_ready(servers: tuple[Server, ...]) -> bool:
    """Say whether a generation may take traffic: its migrations ran, and every server has passed every stage."""
    passed = all(one.status is ServerStatus.ACTIVE and one.phase.reached(Phase.READY) for one in servers)
    return passed and any(server.labels.migrated for server in servers)


def newest_ready(seen: Observation, *, release: str | None, count: int | None) -> tuple[Server, ...]:
    """Give the newest generation that may take traffic; of this release, and with this many servers, if given.

    :raises SettingsError: there is none, or only the one that serves while a newer one is not ready. The message
        says how far each generation has come.
    """
    generations = [seen.generation(generation) for generation in seen.generations()]
    fitting = [s for s in generations if release in {None, s[0].labels.release} and count in {None, len(s)}]
    ready = next((servers for servers in fitting if is_ready(servers)), None)
    if ready and (ready is fitting[0] or not all(_serves(server, seen) for server in ready)):
        return ready
    states = "".join(f"\n  {servers[0].labels.generation}: {progress(servers)}" for servers in generations)
    asked = "".join([f" of release {release}" if release else "", f" with {count} servers" if count else ""])
    raise SettingsError(
        f"no generation{asked} is ready to be rotated in{states or '; there are no servers'}",
        advice="`fab setup migrate test check` brings the newest generation to ready; `fab deploy` does everything.",
    )


def progress(servers: tuple[Server, ...]) -> str:
    """Say in words how far a generation has come."""
    stages = ", ".join(f"{server.name} {server.phase}" for server in servers)
    migrated = any(server.labels.migrated for server in servers)
    return f"{stages}; {'migrated' if migrated else 'not migrated'}"


def what_serves(seen: Observation) -> str:
    """Say in words which servers get requests."""
    releases = Counter(server.labels.release for server in seen.servers if _serves(server, seen))
    counted = (f"{number} server{'s' if number > 1 else ''} of release {one}" for one, number in releases.items())
    return ", ".join(counted) or "none"


def named(seen: Observation, wanted: str) -> Server:
    """Find a server by name (app and environment may be left out), id or private IP.

    :raises SettingsError: none of ours is called so.
    """
    for server in seen.everyone:
        short = server.name.removeprefix(f"{server.labels.app}-{server.labels.environment}-")
        if wanted in {server.name, short, server.id, server.private_ip}:
            return server
    known = "".join(f"\n  {server.name}  {server.private_ip or '(no address yet)'}" for server in seen.everyone)
    raise SettingsError(f"no server of this app and environment is called {wanted}; there are:{known or ' none'}")


def _serves(server: Server, seen: Observation) -> bool:
    return any(balancer.sends_to(server) for balancer in seen.balancers)


def idle(seen: Observation) -> tuple[Server, ...]:
    """Give the servers that no load balancer of ours knows.

    :raises SettingsError: there are none.
    """
    found = tuple(s for s in seen.servers if not any(balancer.nodes_of(s) for balancer in seen.balancers))
    if not found:
        raise SettingsError("every server has a node on a load balancer: there is nothing to retire")
    return found


def names(servers: tuple[Server, ...]) -> str:
    """Give the servers' names, for a sentence."""
    return ", ".join(server.name for server in servers) or "none"
