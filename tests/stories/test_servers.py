"""Servers: looking at them, rebooting one, deleting those that serve nobody."""

import re

import pytest

from tests.stories.clouds import Cloud
from tests.stories.operators import Operator, eventually


def test_list(site: Operator):
    """`servers.list` shows each server's private IP, status, phase, release, and whether it is in rotation."""
    [server] = site.status()["servers"]
    listed = site.manages("servers.list").stdout

    assert re.search(rf"{server['private_ip']} +ACTIVE +serving +{server['release']} +yes", listed)


def test_console(site: Operator):
    """`servers.console` prints the console log, with the host keys by which the deploy has known the server."""
    [server] = site.status()["servers"]
    printed = site.manages("servers.console", "--server", server["private_ip"]).stdout
    keys = printed.split("-----BEGIN SSH HOST KEY KEYS-----")[1].split("-----END SSH HOST KEY KEYS-----")[0]
    known = "".join(path.read_text() for path in site.deploys.rglob("known_hosts"))

    assert any(key.split()[1] in known for key in keys.strip().splitlines())


def test_a_server_that_is_not_there(site: Operator):
    """A server that nobody knows is a mistake on the command line: exit code 2, and those that there are."""
    [server] = site.status()["servers"]
    ran = site.fab("servers.console", "--server", "web-7")

    assert ran.code == 2
    assert "is called web-7; there are:" in ran.stderr
    assert server["private_ip"] in ran.stderr


def test_a_serving_server_is_not_retired(site: Operator):
    """`servers.retire` refuses a server that a load balancer knows, with exit code 4, and deletes nothing."""
    cloud = site.cloud()
    [name] = cloud.servers()
    nodes = cloud.nodes()
    refused = site.fab("servers.retire", "--server", name)

    assert refused.code == 4
    assert f"will not delete {name}: guestbook-production-http" in refused.stderr
    assert set(cloud.servers()) == {name}
    assert cloud.nodes() == nodes


def test_idle_servers_are_retired(site: Operator):
    """`servers.retire` without a name deletes the servers that serve no traffic, and no other."""
    cloud = site.cloud()
    serving = set(cloud.servers())
    assert site.inv("servers.create").code == 0
    idle = set(cloud.servers()) - serving
    retired = site.inv("servers.retire")

    assert len(idle) == 1
    assert retired.code == 0, retired.text
    assert set(cloud.servers()) == serving
    assert cloud.page().server in serving


def test_a_plan_changes_nothing(site: Operator):
    """`plan` lists what a deploy would do to this very site, and changes no server and no node."""
    cloud = site.cloud()
    before = cloud.servers().keys(), cloud.nodes()
    planned = site.manages("plan").stdout

    for step in ("create server 1", "run the migrations on", "add to http:", "set DRAINING on https:", "delete "):
        assert re.search(rf"^ +\d+  {step}", planned, re.MULTILINE)
    assert (cloud.servers().keys(), cloud.nodes()) == before


def test_logs(site: Operator):
    """`local.logs` shows the API's requests and every server's console; with a name, that console alone."""
    [name] = site.cloud().servers()
    everything = site.manages("local.logs").stdout
    one = site.manages("local.logs", "--server", name, "--lines", "500").stdout

    assert re.search(r"GET /compute/v2.1/\S*servers", everything)
    assert f"==> console of {name}: " in everything
    assert "BEGIN SSH HOST KEY KEYS" in one
    assert "==> " not in one


@pytest.mark.both_faces
def test_app_and_worker_come_back(site: Operator):
    """After a reboot by the compute API the page answers again and the worker's heartbeat is renewed, by themselves."""
    cloud = site.cloud()
    [server] = cloud.servers().values()
    eventually(lambda: _heartbeat(cloud, server.name), "a first heartbeat")
    server.reboot("SOFT")
    eventually(lambda: cloud.servers()[server.name].status == "ACTIVE" or None, "the reboot")

    # Whatever stands there now may still be the last one from before; one that changes is of a worker that runs.
    last = eventually(lambda: _heartbeat(cloud, server.name), "the page after the reboot")
    eventually(lambda: _heartbeat(cloud, server.name) not in {None, last} or None, "a heartbeat after the reboot")
    assert cloud.page().server == server.name


def _heartbeat(cloud: Cloud, server: str) -> str | None:
    """Give when the worker of a server was seen last; None while the page does not answer."""
    page = cloud.page()
    return page.heartbeats.get(server) if page.status == 200 else None
