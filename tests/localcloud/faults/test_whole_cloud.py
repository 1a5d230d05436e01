"""Bad days at the servers of a whole cloud: asked for from outside, seen by its clients."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.localcloud.daemons import LocalCloud, eventually, local_cloud


@dataclass(frozen=True, kw_only=True)
class Site:
    """A running cloud, and a key that its servers let in."""

    cloud: LocalCloud
    nova: Any
    image: str
    key: paramiko.Ed25519Key

    def boot(self, name: str) -> Any:
        """Boot a server."""
        server = self.nova.servers.create(name, self.image, "general1-1", key_name="key")
        return eventually(lambda: (seen := self.nova.servers.get(server.id)).status == "ACTIVE" and seen)

    def arm(self, *arguments: str) -> None:
        """Ask for a fault on the command line."""
        done = self.cloud.run("fault", *arguments)
        assert done.returncode == 0, done.stderr

    def control(self) -> httpx.Client:
        """Open the control API."""
        status = self.cloud.status()
        headers = {"Authorization": f"Bearer {status['control_token']}"}
        return httpx.Client(base_url=status["control_url"], headers=headers, timeout=20)

    def run(self, server: Any, command: str) -> int:
        """Run a command on a server; gives its exit status, -1 when none came."""
        with paramiko.SSHClient() as client:
            client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
            address = server.networks["private"][0]
            client.connect(address, 2222, "root", pkey=self.key, allow_agent=False, look_for_keys=False, timeout=20)
            return client.exec_command(command)[1].channel.recv_exit_status()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run a cloud."""
    folder: Path = tmp_path_factory.mktemp("whole")
    file = folder / "key"
    file.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    key = paramiko.Ed25519Key.from_private_key_file(str(file))
    with local_cloud(folder / "cloud") as cloud:
        cloud.up()
        nova = cloud.nova()
        nova.keypairs.create("key", f"{key.get_name()} {key.get_base64()}")
        images = cloud.session().get("/images", endpoint_filter={"service_type": "image"}).json()["images"]
        yield Site(cloud=cloud, nova=nova, image=images[0]["id"], key=key)


def test_a_server_that_died_is_shut_off(site: Site):
    """Nova shows the server that was named as SHUTOFF and all others as ACTIVE, and can start it again."""
    doomed, lucky = site.boot("web-1"), site.boot("web-2")
    site.arm("server-dies", "--match", "web-1", "--seconds", "0")

    assert eventually(lambda: site.nova.servers.get(doomed.id).status == "SHUTOFF")
    assert site.nova.servers.get(lucky.id).status == "ACTIVE"
    doomed.start()
    assert eventually(lambda: site.nova.servers.get(doomed.id).status == "ACTIVE")
    assert site.run(doomed, "true") == 0


def test_a_fault_finds_a_server_by_the_name_it_has_now(site: Site):
    """`match` is about the name that Nova shows, also when that is a new one."""
    server = site.boot("old-name")
    site.nova.servers.update(server.id, name="new-name")
    site.arm("ssh-drops", "--match", "new-name")

    assert [site.run(server, "true") for _ in range(2)] == [-1, 0]


def test_commands_are_counted_with_requests(site: Site):
    """One counter has both: the second occasion after a request is a command, which is held, and cut when let go."""
    server = site.boot("api-1")
    with site.control() as control, ThreadPoolExecutor() as pool:
        assert control.post("/holds", json={"request": 2, "moment": "before"}).status_code == 201
        site.nova.servers.get(server.id)
        command = pool.submit(site.run, server, "exit 3")
        shown = control.get("/holds", params={"wait": 15}).json()

        assert (shown["held"]["kind"], shown["held"]["what"]) == ("ssh", "api-1: exit 3")
        assert not command.done()
        control.delete("/holds")
        assert command.result() == -1
