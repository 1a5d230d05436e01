"""The state of a site, as an operator reads it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from tasks.plain import printable
from tasks.report.outlook import kept, told
from tasks.report.times import ago, clock
from tasks.report.wording import Names
from tasks.rollout.model import Condition, LoadBalancer, Server
from tasks.rollout.observation import Observation
from tasks.rollout.outlook import Outlook
from tasks.rollout.returning import parked_before
from tasks.rollout.reverting import in_rotation

MOST_CONSOLE = 1_000_000
"""So many characters of a console log are shown; Nova keeps a tenth of that (MAX_CONSOLE_BYTES)."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What `status` speaks of.

    :param outlook: what is going on; None where nobody asked.
    """

    app: str
    environment: str
    cloud: str
    seen: Observation
    outlook: Outlook | None = None

    @property
    def name(self) -> Names:
        """Turns names into short ones."""
        return Names(prefix=f"{self.app}-{self.environment}-", servers={})

    @property
    def serving(self) -> tuple[Server, ...]:
        """The servers that get requests from a load balancer."""
        ids = in_rotation(self.seen).servers
        return tuple(server for server in self.seen.servers if server.id in ids)

    @property
    def since(self) -> datetime | None:
        """When the first server of the newest release that serves was made; no cloud notes when it began to serve."""
        newest = max((server.labels.generation for server in self.serving), default="")
        return min((one.created for one in self.serving if one.labels.generation == newest), default=None)


def show(state: State, console: Console) -> None:
    """Print the state: what is going on in sentences, the rest as tables."""
    for part in parts(state):
        console.print(part)


def parts(state: State) -> Iterator[RenderableType]:
    """Give the state, from top to bottom."""
    yield _heading(state)
    for paragraph in _going_on(state):
        yield Text(f"{paragraph}\n", style="yellow")
    if state.seen.servers:
        yield servers_table(state)
    for balancer in by_port(state.seen):
        yield _balancer_block(balancer, state)


def servers_table(state: State) -> Table:
    """Give the table of servers, newest generation first, by their names without app and environment."""
    serving = {server.id for server in state.serving}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("Server", "Private IP", "Status", "Phase", "Release", "In rotation"):
        table.add_column(heading, no_wrap=True, overflow="fold")
    for server in ordered(state.seen):
        labels = server.labels
        rotation = "yes" if server.id in serving else "no"
        cells = (
            state.name(server.name),
            server.private_ip or "-",
            server.status,
            _phase(server),
            labels.release,
            rotation,
        )
        table.add_row(*map(Text, cells))  # a plain str would be read as markup
    return table


def _going_on(state: State) -> list[str]:
    if state.outlook:
        return list(told(state.outlook))
    parked = parked_before(state.seen)
    return [kept(parked)] if parked else []


def _phase(server: Server) -> str:
    """Give what tells most of a server that serves or has served: that it is parked, or sealed."""
    if server.labels.parked:
        return "parked"
    return "sealed" if server.labels.sealed else server.phase


def addresses(seen: Observation) -> list[str]:
    """Give the addresses to open in a browser, one for each load balancer that speaks HTTP(S)."""
    return [_url(balancer) for balancer in by_port(seen) if balancer.virtual_ips]


def _heading(state: State) -> Text:
    if not state.seen.servers and not state.seen.balancers:
        return Text(f"{state.app} has no servers in {state.environment} on {state.cloud}; `fab deploy` makes some.")
    count = len(state.serving)
    releases = ", ".join(sorted({server.labels.release for server in state.serving})) or "none"
    what = "1 server serves" if count == 1 else f"{count} servers serve"
    return Text(f"{state.app} in {state.environment} on {state.cloud}: {what}, release {releases}\n{_since(state)}")


def _since(state: State) -> str:
    if state.since is None:
        return ""
    passed = f", {ago(state.since, state.outlook.now)}" if state.outlook else ""
    return f"on servers made {clock(state.since)}{passed}\n"


def _balancer_block(balancer: LoadBalancer, state: State) -> RenderableType:
    owners = {server.private_ip: state.name(server.name) for server in state.seen.servers}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=False)
    for node in balancer.nodes:
        owner = owners.get(node.address, "(not ours, left alone)")
        condition = Text(node.condition, style="" if node.condition is Condition.ENABLED else "yellow")
        table.add_row(Text(f"{node.address}:{node.port}"), condition, Text(node.status), Text(owner))
    return Group(Text(f"\n{_url(balancer)}  {balancer.name} ({balancer.status})"), table)


def _url(balancer: LoadBalancer) -> str:
    address = balancer.virtual_ips[0].address if balancer.virtual_ips else "?"
    scheme = {"HTTP": "http", "HTTPS": "https"}.get(balancer.protocol, "tcp")
    host = f"[{address}]" if ":" in address else address
    return f"{scheme}://{host}:{balancer.port}/"


def ordered(seen: Observation) -> list[Server]:
    """Give the servers, newest generation first."""
    generations = seen.generations()
    return sorted(seen.servers, key=lambda s: (generations.index(s.labels.generation), s.labels.slot))


def by_port(seen: Observation) -> list[LoadBalancer]:
    """Give the load balancers in the order of their ports."""
    return sorted(seen.balancers, key=lambda balancer: balancer.port)


def print_console(text: str) -> None:
    """Print a server's console log line by line, the end of it where it is very long. It cannot move the cursor."""
    left_out = len(text) - MOST_CONSOLE
    if left_out > 0:
        sys.stdout.write(f"… ({left_out:,} characters before these are left out)\n")
    for line in text[-MOST_CONSOLE:].split("\n"):
        sys.stdout.write(printable(line) + "\n")
