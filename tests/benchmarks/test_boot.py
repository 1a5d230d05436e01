"""How long servers take from the request that creates them until somebody can log in."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.benchmarks import memory
from tests.benchmarks.figures import RUNS, Figure, report
from tests.stories.clouds import Cloud
from tests.stories.operators import Operator, eventually


@pytest.fixture
def key(tmp_path: Path) -> paramiko.Ed25519Key:
    """Make a key to log in with."""
    path = tmp_path / "key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return paramiko.Ed25519Key.from_private_key_file(str(path))


@pytest.mark.timeout(600)
def test_boot(newcomer: Operator, key: paramiko.Ed25519Key, capsys: pytest.CaptureFixture[str]):
    """One server, and ten at once, can be logged in to some time after they were asked for."""
    newcomer.manages("local.up")
    cloud, state_dir = newcomer.cloud(), Path(newcomer.local_status()["state_dir"])
    cloud.nova.keypairs.create("bench", f"{key.get_name()} {key.get_base64()}")
    times: dict[int, list[float]] = {1: [], 10: []}
    sizes: list[float] = []
    for _ in range(RUNS):
        for count, seconds in times.items():
            before = memory.of_servers(state_dir)
            with booted(cloud, count, key) as took:
                seconds.append(took)
                if count > 1:
                    sizes.append((memory.of_servers(state_dir) - before) / count)
    with capsys.disabled():
        report("boot", figures(times, sizes))


def figures(times: dict[int, list[float]], sizes: list[float]) -> Iterator[Figure]:
    """Name what was measured."""
    yield Figure(what="1 server, from create until SSH runs a command", unit="s", values=times[1], goal=1)
    yield Figure(what="10 servers at once, until the last does", unit="s", values=times[10], goal=3)
    yield Figure(what="memory of a server that runs nothing yet", unit="MB", values=sizes)


@contextmanager
def booted(cloud: Cloud, count: int, key: paramiko.Ed25519Key) -> Iterator[float]:
    """Create servers and log in to each; gives how long it took until the last one let us in."""
    nova, image = cloud.nova, cloud.image_id()
    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=count) as pool:
        ids = list(pool.map(lambda number: _login(nova, (f"bench-{number}", image, "general1-1"), key), range(count)))
    yield time.monotonic() - began
    for server_id in ids:
        nova.servers.delete(server_id)
    eventually(lambda: None if nova.servers.list() else True, "the servers to be gone")


def _login(nova: Any, asked: tuple[str, ...], key: paramiko.Ed25519Key) -> str:
    server = nova.servers.create(*asked, key_name="bench")
    active = eventually(lambda: _active(nova, server.id), "an ACTIVE server")
    address = active.networks["private"][0]
    eventually(lambda: _lets_in(address, key), f"SSH on {address}")
    return str(server.id)


def _active(nova: Any, server_id: str) -> Any:
    server = nova.servers.get(server_id)
    return server if server.status == "ACTIVE" else None


def _lets_in(address: str, key: paramiko.Ed25519Key) -> bool | None:
    with paramiko.SSHClient() as client:
        client.set_missing_host_key_policy(paramiko.AutoAddPolicy())  # the host is measured here, not trusted
        try:
            client.connect(address, 2222, "root", pkey=key, allow_agent=False, look_for_keys=False, timeout=5)
        except (paramiko.SSHException, OSError):
            return None
        return client.exec_command("true")[1].channel.recv_exit_status() == 0 or None
