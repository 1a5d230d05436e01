"""A running local cloud is closed to the other users of its machine."""

from __future__ import annotations

import http.client
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh
import httpx
import paramiko
import psutil
import pytest
from keystoneauth1.adapter import Adapter

from tasks.localcloud.network import CLAIM_PORT
from tests.localcloud.daemons import LocalCloud, eventually, local_cloud

NOBODY = 65534
takes_root = pytest.mark.skipif(os.getuid() != 0, reason="takes root, to look as another user")


def as_nobody(look: Callable[[], Any]) -> Any:
    """Look as a user who owns nothing and is in no group; gives what is seen."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writing, json.dumps(look()).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        seen = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    return json.loads(seen)


def refused(*acts: Callable[[], Any]) -> list[str]:
    """Try each act; gives what came of it: the error's name, or `done`."""
    seen = []
    for act in acts:
        try:
            act()
            seen.append("done")
        except OSError as error:
            seen.append(type(error).__name__)
    return seen


@contextmanager
def visible_folder() -> Iterator[Path]:
    """Make a folder that everybody can enter, as a home often is."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def running() -> Iterator[LocalCloud]:
    """Run a cloud with one server and one load balancer."""
    with visible_folder() as folder, local_cloud(folder / "state") as cloud:
        cloud.up()
        nova, session = cloud.nova(), cloud.session()
        image = session.get("/images", endpoint_filter={"service_type": "image"}).json()["images"][0]
        key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
        nova.keypairs.create("key", key)
        server = nova.servers.create("web", image["id"], "general1-1", key_name="key")
        balancers = Adapter(session, service_type="rax:load-balancer", region_name="ORD")
        body = {"name": "web", "protocol": "HTTP", "port": 8080, "virtualIps": [{"type": "PUBLIC"}]}
        balancer = balancers.post("/loadbalancers", json={"loadBalancer": body}).json()["loadBalancer"]
        at = f"/loadbalancers/{balancer['id']}"
        eventually(lambda: nova.servers.get(server.id).status == "ACTIVE")
        eventually(lambda: balancers.get(at).json()["loadBalancer"]["status"] == "ACTIVE")
        yield cloud


def private_ip(cloud: LocalCloud) -> str:
    """Give the address of the server."""
    return str(cloud.nova().servers.list()[0].networks["private"][0])


def files(cloud: LocalCloud) -> list[Path]:
    """List the cloud's files and folders; of the servers' disks the first few levels, of which there are plenty."""
    state = cloud.state_dir
    return [state, *(path for depth in ("*", "*/*", "*/*/*") for path in state.glob(depth))]


def secrets(cloud: LocalCloud) -> set[str]:
    """Give all that opens the cloud."""
    status = cloud.status()
    return {status["api_key"], status["password"], status["control_token"], cloud.session().get_token()}


@takes_root
def test_other_users_cannot_look_at_its_files(running: LocalCloud):
    """No file can be read, no folder listed, no socket connected to; not even that they exist can be seen."""
    inside = files(running)[1:]

    assert len(inside) > 20
    assert as_nobody(lambda: refused(lambda: next(running.state_dir.iterdir()))) == ["PermissionError"]
    assert set(as_nobody(lambda: refused(*(path.lstat for path in inside)))) == {"PermissionError"}


def test_its_own_files_are_private_one_by_one(running: LocalCloud):
    """Should the directory be opened by mistake, records, logs and sockets are still their owner's alone."""
    state = running.state_dir
    own = [path for pattern in ("*", "balancers/*", "machines/*") for path in state.glob(pattern)]
    open_to_others = {path.name for path in own if path.lstat().st_mode & 0o077 and path.is_file()}
    sockets = {path.name: stat.S_IMODE(path.stat().st_mode) for path in own if path.is_socket()}

    assert open_to_others == set()
    assert sockets == {"admin.sock": 0o600, "exchange.sock": 0o600}


def test_it_listens_on_loopback_and_nowhere_else(running: LocalCloud):
    """Its ports are the API, the claim on its network, SSH of servers, and load balancers: Envoy's admin has none."""
    api = urlsplit(running.status()["auth_url_v3"])
    listening = [
        (connection.laddr.ip, connection.laddr.port)
        for process in running.processes()
        for connection in process.net_connections("inet")
        if connection.status != psutil.CONN_ESTABLISHED and connection.laddr
    ]
    virtual_ip = next(ip for ip, port in listening if port == 8080)

    assert virtual_ip.startswith("127.")
    assert set(listening) == {
        (api.hostname, api.port),
        (api.hostname, CLAIM_PORT),
        (private_ip(running), 2222),
        (virtual_ip, 8080),
    }


def test_it_has_no_sockets_outside_its_directory(running: LocalCloud):
    """Abstract Unix sockets are open to every user of the machine; there is none."""
    names = [connection.laddr for process in running.processes() for connection in process.net_connections("unix")]

    assert [name for name in names if name.startswith("@")] == []


@takes_root
def test_other_users_cannot_reach_into_its_processes(running: LocalCloud):
    """Environment, memory, open files and servers' roots are closed, and nobody else ends a process."""
    pids = [process.pid for process in running.processes()]

    def look() -> list[str]:
        read = [Path(f"/proc/{pid}/{name}").read_bytes for pid in pids for name in ("environ", "mem")]
        folders = [Path(f"/proc/{pid}/{name}") for pid in pids for name in ("fd", "root", "cwd")]
        return refused(
            *read, *(partial(os.scandir, folder) for folder in folders), *(partial(os.kill, pid, 0) for pid in pids)
        )

    assert len(pids) >= 4
    assert set(as_nobody(look)) == {"PermissionError"}


def test_command_lines_tell_no_secret(running: LocalCloud):
    """Everybody sees what is running, and learns nothing from it that opens the cloud."""
    lines = " ".join(" ".join(process.cmdline()) for process in running.processes())

    assert [secret for secret in secrets(running) if secret in lines] == []


def test_logs_tell_no_secret(running: LocalCloud):
    """Logs are shown to others when help is asked for: no token, password or key is there, wherever it was sent."""
    status, token = running.status(), running.session().get_token()
    root = status["auth_url_v3"].removesuffix("/identity/v3")
    with httpx.Client(base_url=root, headers={"X-Auth-Token": token}) as client:
        client.get(f"/identity/v2.0/tokens/{token}")
        client.get(f"/identity//v2.0//tokens//{token}")
        client.get("/control/faults", headers={"Authorization": f"Bearer {status['control_token']}"})
        client.get("/control/faults", params={"token": status["control_token"], "X-Auth-Token": token})
        client.post("/identity/v2.0/tokens", content=f'{{"auth": {status["password"]}')
    logs = [path.read_text() for path in running.state_dir.rglob("*.log")]

    assert len(logs) >= 4
    assert "/control/faults" in "".join(logs)
    assert [secret for secret in [*secrets(running), token] for log in logs if secret in log] == []


@takes_root
def test_other_users_get_nothing_without_credentials(running: LocalCloud):
    """Who cannot read the record is told which versions there are, and nothing else."""
    api = urlsplit(running.status()["auth_url_v3"])

    def status_of(path: str) -> int:
        connection = http.client.HTTPConnection(api.hostname or "", api.port, timeout=20)
        connection.request("GET", path)
        return connection.getresponse().status

    paths = ["/identity/v3", "/compute/v2.1/servers", "/identity/v3/users", "/control/faults", "/control/holds?wait=1"]

    assert as_nobody(lambda: [status_of(path) for path in paths]) == [200, 401, 401, 401, 401]


def test_servers_let_nobody_in_without_a_key(running: LocalCloud):
    """SSH offers public keys only."""
    with paramiko.Transport((private_ip(running), 2222)) as transport:
        transport.start_client(timeout=20)
        with pytest.raises(paramiko.BadAuthenticationType) as offered:
            transport.auth_none("root")

    assert offered.value.allowed_types == ["publickey"]
