"""The running local cloud: starts everything, serves until it is told to end, ends everything.

`python -m tasks.localcloud.daemon STATE_DIR READY_FD TURN_FD OPTIONS` is what `up` runs. One JSON line on READY_FD says
how the start went: `{"warning": …}` when the cloud answers, `{"failed": …}` when it does not; with it, both are closed.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from tasks.localcloud.api.application import Services, application
from tasks.localcloud.api.balancing import clb
from tasks.localcloud.api.compute.compute_context import Compute
from tasks.localcloud.api.connections import Connections
from tasks.localcloud.balancing.balancers import BalancerService
from tasks.localcloud.balancing.octavia_service import OctaviaService
from tasks.localcloud.compute.images import Images, image_of_this_machine
from tasks.localcloud.compute.machines import Site
from tasks.localcloud.compute.servers import Servers
from tasks.localcloud.faults.at_servers import ServersFate
from tasks.localcloud.faults.bad_days import BadDays
from tasks.localcloud.faults.build_times import BuildTimes
from tasks.localcloud.faults.unreliable_machines import UnreliableMachines
from tasks.localcloud.identity.credentials import Credentials, Tokens, new_credentials
from tasks.localcloud.locks import hold
from tasks.localcloud.machines.hypervisor import Hypervisor
from tasks.localcloud.machines.spec import Isolation
from tasks.localcloud.network import Network, claim_network
from tasks.localcloud.options import START_SECONDS, Face, IsolationChoice, Options
from tasks.localcloud.state import Access, StateDirectory
from tasks.localcloud.subnet import Subnet

log = logging.getLogger(__name__)

_IDLE_CONNECTION_SECONDS = 3600
"""Clients keep connections for a whole deploy; closing one under a client's POST would look like a lost answer."""


class ApiServer(uvicorn.Server):
    """Uvicorn, without its own ideas about signals: the daemon has other things to end as well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class Daemon:
    """One local cloud. `run` starts it, says so on `ready`, and returns when it has ended."""

    def __init__(self, state: StateDirectory, options: Options) -> None:
        self._state = state
        self._options = options
        self._ending = asyncio.Event()
        self._servers: Servers | None = None
        self._bad_days = BadDays()

    async def run(self, ready: Ready) -> None:
        """Serve until SIGTERM or SIGINT.

        :raises Exception: whatever kept a part from starting; everything that did start is ended.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._ending.set)
        async with AsyncExitStack() as parts:
            async with asyncio.timeout(START_SECONDS):
                warning = await self._start(parts)
            log.info("the local cloud answers")
            ready.say_started(warning)
            await self._ending.wait()
            log.info("ending")

    async def _start(self, parts: AsyncExitStack) -> str | None:
        """Start all parts; gives the warning for who typed `up`."""
        self._state.make_folders()
        network = claim_network()
        parts.callback(network.close)
        hypervisor = await self._hypervisor(parts)
        balancers = await self._balancers(parts, network)
        credentials = new_credentials()
        self._servers = self._servers_on(hypervisor, network)
        parts.push_async_callback(self._servers.close)
        images = Images(image_of_this_machine())
        compute = Compute(servers=self._servers, images=images, credentials=credentials, faults=self._bad_days.faults)
        services = Services(
            region=self._options.region,
            tokens=Tokens(),
            compute=compute,
            balancer_routes=clb.routes(balancers),
            octavia=self._octavia(parts, balancers, network),
            face=self._options.face,
            bad_days=self._bad_days,
        )
        api_log = parts.enter_context(self._state.api_log.open("a"))
        listener = parts.enter_context(listen(network.api_address))
        await parts.enter_async_context(served(application(services, api_log), listener, services.connections))
        await asyncio.to_thread(_expect_answer, *listener.getsockname())
        self._state.publish(self._access(credentials, listener, hypervisor.warning))
        return hypervisor.warning

    async def _hypervisor(self, parts: AsyncExitStack) -> Hypervisor:
        forced = Isolation.PROCESSES if self._options.isolation is IsolationChoice.PROCESSES else None
        fate = ServersFate(self._bad_days, self._name_of)
        hypervisor = Hypervisor(self._state.machines, isolation=forced, on_death=self._machine_died, fate=fate)
        await hypervisor.start()
        parts.push_async_callback(hypervisor.close)
        return hypervisor

    def _servers_on(self, hypervisor: Hypervisor, network: Network) -> Servers:
        site = Site(private_ips=network.private_ips, ssh_port=self._options.ssh_port, shared=self._state.shared)
        times = BuildTimes(self._options.build_seconds, self._options.seed)
        return Servers(UnreliableMachines(hypervisor, self._bad_days.faults, self._name_of, times), site)

    async def _balancers(self, parts: AsyncExitStack, network: Network) -> BalancerService:
        balancers = BalancerService(
            self._state.balancers,
            network.virtual_ips,
            pending_seconds=self._options.pending_seconds,
            faults=self._bad_days.faults,
        )
        balancers.accidents.server_at = self._server_at
        parts.push_async_callback(balancers.close)
        await balancers.start()
        return balancers

    def _octavia(self, parts: AsyncExitStack, balancers: BalancerService, network: Network) -> OctaviaService:
        octavia = OctaviaService(
            balancers.envoy,
            network.virtual_ips,
            subnet=Subnet(gateway=network.api_address),
            pending_seconds=self._options.pending_seconds,
            faults=self._bad_days.faults,
        )
        octavia.accidents.server_at = self._server_at
        parts.push_async_callback(octavia.close)
        return octavia

    def _name_of(self, server_id: str) -> str:
        names = {server.id: server.name for server in self._servers.existing()} if self._servers else {}
        return names.get(server_id, server_id)

    def _server_at(self, address: str) -> str:
        names = {server.private_ip: server.name for server in self._servers.existing()} if self._servers else {}
        return names.get(address, "")

    def _machine_died(self, server_id: str, reason: str) -> None:
        log.warning("server %s: %s", server_id, reason)
        if self._servers:
            self._servers.machine_died(server_id)

    def _access(self, credentials: Credentials, listener: socket.socket, warning: str | None) -> Access:
        host, port = listener.getsockname()
        return Access(
            region=self._options.region,
            username=credentials.username,
            api_key=credentials.api_key,
            password=credentials.password,
            project=credentials.project,
            auth_url_v2=None if self._options.face is Face.OPENSTACK else f"http://{host}:{port}/identity/v2.0",
            auth_url_v3=f"http://{host}:{port}/identity/v3",
            control_url=f"http://{host}:{port}/control",
            control_token=self._bad_days.control_token,
            warning=warning,
        )


class Ready:
    """The pipe to whoever waits for the start; says one thing, then ends our `turn` with the state directory."""

    def __init__(self, pipe: int, turn: int) -> None:
        self._pipe = pipe
        self._turn = turn
        self._said = False

    def say_started(self, warning: str | None) -> None:
        """Say that the cloud answers."""
        self._say({"warning": warning})

    def say_failed(self, reason: str) -> None:
        """Say why it does not."""
        self._say({"failed": reason})

    def _say(self, message: dict[str, str | None]) -> None:
        if self._said:
            return
        self._said = True
        try:
            os.write(self._pipe, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            log.warning("nobody waits for the start any more")
        os.close(self._pipe)
        os.close(self._turn)


def listen(address: str) -> socket.socket:
    """Listen on a free port of an address."""
    # asyncio turns Nagle's algorithm off only where the protocol is spelled out; with it an answer takes 40 ms more.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((address, 0))
    listener.listen(1024)
    return listener


@asynccontextmanager
async def served(app: ASGIApp, listener: socket.socket, connections: Connections) -> AsyncIterator[None]:
    """Serve an application on a socket for as long as the context lasts."""
    server = ApiServer(
        uvicorn.Config(
            app,
            http=connections.protocol(),
            proxy_headers=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _expect_answer(host: str, port: int) -> None:
    """Ask the API one question, so that "ready" is a fact and not a hope."""
    connection = http.client.HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", "/identity/v3")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != 200:
        raise RuntimeError(f"the API answered {status} to the first question it was asked")


def main(arguments: list[str]) -> int:
    """Run one local cloud in this process; gives the exit code."""
    path, pipe, turn, options = arguments
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    os.umask(0o077)
    state = StateDirectory(path=Path(path))
    ready = Ready(int(pipe), int(turn))
    lock = hold(state.lock)
    try:
        asyncio.run(_run(state, Options.from_json(options), ready))
    except Exception as error:
        log.exception("the local cloud did not start, or failed to end in order")
        ready.say_failed(str(error) or f"{type(error).__name__}, see the log")
        return 1
    finally:
        os.close(lock)
    return 0


async def _run(state: StateDirectory, options: Options, ready: Ready) -> None:
    await Daemon(state, options).run(ready)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
