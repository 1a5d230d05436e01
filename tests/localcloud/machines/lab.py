"""A hypervisor with real servers, and clients that log in to them."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tasks.localcloud.machines.hypervisor import Hypervisor
from tasks.localcloud.machines.mishaps import Fate
from tasks.localcloud.machines.spec import Isolation, MachineSpec

DEADLINE = 20.0


class Lab:
    """A started hypervisor, and its event loop in a thread, driven from tests that are not coroutines."""

    def __init__(self, folder: Path, isolation: Isolation | None, fate: Fate | None = None) -> None:
        self.folder = folder
        self.shared = folder / "shared"
        self.shared.mkdir()
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file = folder / "key"
        self.key.write_private_key(self.key_file)
        self.deaths: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.hypervisor = Hypervisor(
            folder / "machines", isolation=isolation, on_death=lambda *death: self.deaths.put_nowait(death), fate=fate
        )
        self._addresses = filter(_is_free, (f"127.{random.randint(1, 254)}.249.{n}" for n in range(1, 250)))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, act: Coroutine[Any, Any, Any]) -> Any:
        """Complete a coroutine, within the deadline."""
        return self.begin(act).result()

    def begin(self, act: Coroutine[Any, Any, Any]) -> Future[Any]:
        """Let a coroutine run, within the deadline; what it gives can be asked for."""
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(act, DEADLINE), self._loop)

    def spec(self, **changes: Any) -> MachineSpec:
        """Describe a server with an address of its own."""
        fields: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "hostname": "web-1",
            "private_ip": next(self._addresses),
            "ssh_port": 2222,
            "authorized_keys": (self.key.export_public_key().decode(),),
            "shared": self.shared,
        }
        return MachineSpec(**fields | changes)

    def boot(self, **changes: Any) -> MachineSpec:
        """Boot a server."""
        spec = self.spec(**changes)
        self.run(self.hypervisor.boot(spec))
        return spec

    def connect(self, spec: MachineSpec, **options: Any) -> Any:
        """Log in as root with the key that every server was given."""
        settings = {"username": "root", "client_keys": [self.key], "known_hosts": None, "config": None} | options
        return asyncssh.connect(spec.private_ip, spec.ssh_port, **settings)

    def sh(self, spec: MachineSpec, command: str) -> str:
        """Run a command that has to succeed, and give what it prints."""

        async def run() -> str:
            async with self.connect(spec) as connection:
                result = await connection.run(command, check=True)
                return str(result.stdout).strip()

        return str(self.run(run()))

    def wait_for_file(self, spec: MachineSpec, path: str) -> str:
        """Give the text of a file in a server as soon as it is there."""
        return self.sh(spec, f"for i in $(seq 400); do test -s {path} && exec cat {path}; sleep 0.05; done; exit 1")

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, within the deadline."""

        async def look() -> None:
            while not holds():  # noqa: ASYNC110  what is waited for has no event to offer
                await asyncio.sleep(0.02)

        self.run(look())

    def close(self) -> None:
        """End everything."""
        self.run(self.hypervisor.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _is_free(address: str) -> bool:
    """Whether no other cloud on this machine has the address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, 2222))
        except OSError:
            return False
    return True


@contextmanager
def started(folder: Path, isolation: Isolation, fate: Fate | None = None) -> Iterator[Lab]:
    """Run a lab; a test that needs namespaces is skipped where the machine refuses them."""
    lab = Lab(folder, isolation, fate)
    try:
        lab.run(lab.hypervisor.start())
        if lab.hypervisor.isolation is not isolation:
            pytest.skip(f"this machine refuses namespaces: {lab.hypervisor.warning}")
        yield lab
    finally:
        lab.close()
