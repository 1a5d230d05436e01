"""Unmodified third-party clients over a real socket: novaclient, keystoneauth, openstack.config, openstacksdk."""

import base64
import io
import re
import socket
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest
from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import Unauthorized
from keystoneauth1.identity import v2
from keystoneauth1.session import Session
from novaclient import exceptions
from openstack.connection import Connection

from tasks.localcloud.compute.images import NAME
from tests.localcloud.cloud import ED25519
from tests.localcloud.daemons import LocalCloud, eventually, local_cloud


class ApiKey(v2.Auth):
    """Rackspace's API key login, as deploy tools do it with keystoneauth."""

    def __init__(self, auth_url: str, username: str, api_key: str) -> None:
        super().__init__(auth_url)
        self.username = username
        self.api_key = api_key

    def get_auth_data(self, headers: Any = None) -> dict[str, Any]:
        """Give the credentials part of the request for a token."""
        return {"RAX-KSKEY:apiKeyCredentials": {"username": self.username, "apiKey": self.api_key}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """Give a running cloud."""
    with local_cloud(tmp_path_factory.mktemp("clients") / "state") as started:
        started.up()
        yield started


@pytest.fixture(scope="module")
def image(running: LocalCloud) -> str:
    """Give the id of the image."""
    images = Adapter(running.session(), service_type="image", region_name="ORD").get("/images").json()["images"]
    return str(images[0]["id"])


def create(nova: Any, image: str, name: str, **more: Any) -> str:
    """Create a server the way the microversion wants it, and wait until it is active."""
    if nova.api_version.ver_minor >= 37:
        more["nics"] = "auto"
    server_id = str(nova.servers.create(name, image, "general1-1", **more).id)
    assert eventually(lambda: (seen := nova.servers.get(server_id)).status != "BUILD" and seen.status) == "ACTIVE"
    return server_id


def gone(nova: Any, server_id: str) -> bool:
    """Say whether a server cannot be found any more."""
    try:
        nova.servers.get(server_id)
    except exceptions.NotFound:
        return True
    return False


@pytest.mark.parametrize("version", ["2", "2.1", "2.60", "2.96"])
def test_novaclient_leads_a_server_through_its_life(running: LocalCloud, image: str, version: str):
    """A novaclient of any version boots a real server with a key, talks to its SSH port, reboots and deletes it."""
    nova = running.nova(version)
    nova.keypairs.create("deploy", public_key=ED25519)
    server_id = create(nova, image, f"web-{version}", key_name="deploy", meta={"app": "guestbook"})
    server = nova.servers.get(server_id)
    [address] = server.addresses["private"]
    with socket.create_connection((address["addr"], 2222), timeout=10) as connection:
        assert connection.recv(8).startswith(b"SSH-2.0-")
    assert "BEGIN SSH HOST KEY KEYS" in nova.servers.get_console_output(server_id)

    nova.servers.set_meta(server_id, {"phase": "ready"})
    assert nova.servers.get(server_id).metadata == {"app": "guestbook", "phase": "ready"}
    nova.servers.reboot(server_id)
    eventually(lambda: nova.servers.get(server_id).status == "ACTIVE")
    nova.servers.delete(server_id)
    eventually(lambda: gone(nova, server_id))
    nova.keypairs.delete("deploy")


def ssh(nova: Any, server_id: str, key: paramiko.PKey) -> paramiko.SSHClient:
    """Log in to a server, accepting only a host key that its console shows."""
    [address] = nova.servers.get(server_id).addresses["private"]
    console = nova.servers.get_console_output(server_id)
    [host_key] = re.findall(r"^ssh-ed25519 (\S+)", console, re.MULTILINE)
    client = paramiko.SSHClient()
    entry = paramiko.Ed25519Key(data=base64.b64decode(host_key))
    client.get_host_keys().add(f"[{address['addr']}]:2222", "ssh-ed25519", entry)
    client.connect(address["addr"], 2222, "root", pkey=key, allow_agent=False, look_for_keys=False, timeout=20)
    return client


def test_a_server_that_powers_itself_off_is_shut_off(running: LocalCloud, image: str):
    """`poweroff` typed in a server makes it SHUTOFF, and only a hard reboot brings it back."""
    nova = running.nova()
    private = nova.keypairs.create("generated").private_key
    key = paramiko.RSAKey.from_private_key(io.StringIO(private))
    server_id = create(nova, image, "sleeper", key_name="generated")
    with ssh(nova, server_id, key) as client:
        client.exec_command("poweroff")
        eventually(lambda: nova.servers.get(server_id).status == "SHUTOFF")
    with pytest.raises(exceptions.Conflict):
        nova.servers.reboot(server_id, "SOFT")
    nova.servers.reboot(server_id, "HARD")
    eventually(lambda: nova.servers.get(server_id).status == "ACTIVE")
    with ssh(nova, server_id, key) as client:
        assert client.exec_command("hostname")[1].read() == b"sleeper\n"
    nova.servers.delete(server_id)


def test_novaclient_follows_pages(running: LocalCloud, image: str):
    """limit=-1 makes novaclient walk through all pages."""
    nova = running.nova()
    wanted = {create(nova, image, f"page-{number}") for number in range(3)}
    page = nova.servers.list(limit=2)
    everything = nova.servers.list(limit=-1, search_opts={"name": "^page-"})

    assert len(page) == 2
    assert {server.id for server in everything} == wanted
    for server_id in wanted:
        nova.servers.delete(server_id)


def test_novaclient_injects_files_up_to_2_56(running: LocalCloud, image: str):
    """Personality reaches a server; a too long file is Forbidden as novaclient knows it."""
    nova = running.nova("2.56")
    server_id = create(nova, image, "files", files={"/etc/motd": "hello"}, userdata="#!/bin/sh\necho marked here\n")

    assert "marked here" in nova.servers.get_console_output(server_id)
    nova.servers.delete(server_id)
    with pytest.raises(exceptions.Forbidden, match="Personality file content too long"):
        create(nova, image, "files", files={"/etc/motd": "x" * 10_241})


def test_novaclient_understands_refusals(running: LocalCloud, image: str):
    """Refusals arrive as novaclient's own exceptions, with message and request id."""
    nova = running.nova()
    with pytest.raises(exceptions.BadRequest, match="Invalid key_name provided") as refused:
        nova.servers.create("web", image, "general1-1", key_name="nobody")
    with pytest.raises(exceptions.NotFound):
        nova.servers.get("nobody")

    assert refused.value.request_id.startswith("req-")


def test_novaclient_reads_limits_and_quotas(running: LocalCloud):
    """Limits and quotas come through novaclient."""
    nova = running.nova()
    absolute = {limit.name: limit.value for limit in nova.limits.get().absolute}

    assert absolute["maxTotalInstances"] == nova.quotas.get(running.status()["project"]).instances == 100


def test_novaclient_discovers_the_microversions(running: LocalCloud):
    """The version document gives novaclient the range it may choose from."""
    current = running.nova().versions.get_current()

    assert (current.min_version, current.version) == ("2.1", "2.96")


def test_an_api_key_opens_compute_and_load_balancers(running: LocalCloud):
    """Identity v2.0 with an API key, through keystoneauth, finds every service by type and region."""
    status = running.status()
    session = Session(auth=ApiKey(status["auth_url_v2"], status["username"], status["api_key"]))
    flavors = Adapter(session, service_type="compute", region_name="ORD").get("/flavors")
    balancers = Adapter(session, service_type="rax:load-balancer", region_name="ORD").get("/loadbalancers")

    assert len(flavors.json()["flavors"]) == 4
    assert balancers.json() == {"loadBalancers": []}


def test_a_wrong_api_key_is_unauthorized(running: LocalCloud):
    """A wrong key is keystoneauth's Unauthorized."""
    status = running.status()
    session = Session(auth=ApiKey(status["auth_url_v2"], status["username"], "wrong"))

    with pytest.raises(Unauthorized):
        session.get_token()


def test_openstacksdk_finds_its_way(running: LocalCloud):
    """openstacksdk, by clouds.yaml alone, discovers versions and lists servers, flavors and images."""
    cloud = Connection(config=running.config())

    assert [flavor.id for flavor in cloud.compute.flavors()] == ["general1-1", "general1-2", "general1-4", "general1-8"]
    assert [image.name for image in cloud.image.images()] == [NAME]
    assert isinstance(list(cloud.compute.servers()), list)
