"""What `fab deploy` does in one go, done by a CI one verb at a time."""

from typing import Any

import pytest

from tests.stories.operators import Operator


def shape(operator: Operator) -> dict[str, Any]:
    """Give the state of a site without what has to differ from one deploy to the next."""
    status = operator.status()
    servers = [(one["status"], one["phase"], one["release"], one["in_rotation"]) for one in status["servers"]]
    balancers = [
        (one["name"], one["port"], one["virtual_ips"], [(node["condition"], node["status"]) for node in one["nodes"]])
        for one in status["load_balancers"]
    ]
    return {"release": status["release"], "servers": servers, "balancers": balancers}


def phases(operator: Operator) -> dict[str, str]:
    """Give how far each server has come, by its name."""
    return {name: server.metadata["phase"] for name, server in operator.cloud().servers().items()}


@pytest.mark.both_faces
def test_the_same_verbs_one_by_one(operator: Operator):
    """`inv servers.create`, `fab setup migrate test check` and `inv rotate` end in the same state as `fab deploy`."""
    one = operator.with_settings("count = 1\n")
    one.manages("deploy")
    deployed, old = shape(one), set(phases(one))
    assert one.inv("servers.create").code == 0
    assert {phase for name, phase in phases(one).items() if name not in old} == {"booting"}
    one.manages("setup", "migrate", "test", "check")
    assert {phase for name, phase in phases(one).items() if name not in old} == {"ready"}
    assert old == {server["name"] for server in one.status()["servers"] if server["in_rotation"]}
    rotated = one.inv("rotate")

    assert rotated.code == 0, rotated.text
    assert shape(one) == deployed
    assert not old & set(phases(one))


def test_stages_on_one_server(operator: Operator):
    """A stage runs on the one server that `-H` with its private IP or `--server` with its name says, and no other."""
    operator.manages("servers.create")
    first, second = sorted(operator.cloud().servers())
    private_ip = next(one["private_ip"] for one in operator.status()["servers"] if one["name"] == first)

    operator.manages("setup", "-H", private_ip)
    assert phases(operator) == {first: "set-up", second: "booting"}
    assert operator.inv("setup", "--server", second).code == 0
    assert phases(operator) == {first: "set-up", second: "set-up"}
    operator.manages("migrate", "test", "--server", second)
    assert phases(operator) == {first: "set-up", second: "tested"}


def test_what_is_not_ready_is_not_rotated_in(site: Operator):
    """`inv rotate` with new servers that are not ready keeps to the generation that is, and changes no node."""
    cloud = site.cloud()
    nodes = cloud.nodes()
    site.manages("servers.create", "--count", "2")
    refused = site.inv("rotate", "--count", "2")

    assert refused.code == 2
    assert "no generation with 2 servers is ready to be rotated in" in refused.stderr
    assert "booting" in refused.stderr
    assert cloud.nodes() == nodes
    assert len(cloud.servers()) == 3


def test_nothing_is_ready(operator: Operator):
    """`inv rotate` before any server is ready exits 2, says how far each has come, and does nothing."""
    one = operator.with_settings("count = 1\n")
    one.manages("servers.create")
    [name] = one.cloud().servers()
    refused = one.inv("rotate")

    assert refused.code == 2
    assert f"{name} booting; not migrated" in refused.stderr
    assert "`fab setup migrate test check`" in refused.stderr
    assert one.cloud().balancers() == {}
    assert set(one.cloud().servers()) == {name}
