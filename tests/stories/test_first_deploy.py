"""The first deploy, from nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stories.clouds import Cloud
from tests.stories.conftest import an_operator_on
from tests.stories.operators import ONE, Operator, Ran

pytestmark = pytest.mark.both_faces
STATUS = {
    "app", "environment", "cloud", "release", "generation", "since", "at_work", "interrupted", "rollback", "servers",
    "load_balancers", "foreign_nodes",
}  # fmt: skip
SERVER = {
    "id", "name", "private_ip", "status", "phase", "release", "generation", "created", "in_rotation", "sealed",
    "parked", "kept",
}  # fmt: skip
BALANCER = {"id", "name", "virtual_ips", "port", "protocol", "status", "nodes"}
NODE = {"address", "port", "condition", "status", "weight", "server_id"}


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """A first deploy that has ended."""

    operator: Operator
    ran: Ran
    cloud: Cloud


@pytest.fixture(scope="module")
def deployed(face: str, caches: Path) -> Iterator[Deployed]:
    """Run `fab deploy` for somebody who has an empty cloud."""
    with an_operator_on(face, caches) as someone:
        ran = someone.fab("deploy")
        yield Deployed(operator=someone, ran=ran, cloud=someone.cloud())


def test_it_starts_what_it_needs(newcomer: Operator):
    """A deploy with no cloud configured exits 0, and says that it has started the local cloud and how to end it."""
    ran = newcomer.with_settings(ONE).manages("deploy")

    assert "the local cloud was started for you; `fab local.down` ends it" in ran.stdout
    assert newcomer.local_status()["running"] is True
    assert newcomer.cloud().page().status == 200


def test_it_succeeds(deployed: Deployed):
    """A deploy to a cloud that runs exits 0, and starts none."""
    assert deployed.ran.code == 0, deployed.ran.text
    assert "was started for you" not in deployed.ran.text


def test_two_servers_serve_on_two_ports(deployed: Deployed):
    """There are two servers behind two load balancers, on ports 8080 and 8443 of one virtual IP."""
    servers, balancers = deployed.cloud.servers(), deployed.cloud.balancers()
    [virtual_ip] = {balancer.virtual_ip for balancer in balancers.values()}

    assert len(servers) == 2
    assert [balancer.port for balancer in balancers.values()] == [8080, 8443]
    assert virtual_ip
    for balancer in balancers.values():
        states = {(node.port, node.condition, node.status) for node in balancer.nodes}
        assert (len(balancer.nodes), states) == (2, {(8000, "ENABLED", "ONLINE")})


def test_visitors_see_who_answered(deployed: Deployed):
    """On both ports the page answers, names the release, and comes from each of the two servers in turn."""
    release = deployed.operator.status()["release"]
    for address in deployed.cloud.addresses():
        pages = [deployed.cloud.page(address) for _ in range(4)]

        assert {page.status for page in pages} == {200}
        assert {page.server for page in pages} == set(deployed.cloud.servers())
        assert {page.release for page in pages} == {release}


def test_servers_say_whose_they_are(deployed: Deployed):
    """Each server's metadata says app, environment, generation, slot, release and phase."""
    status = deployed.operator.status()
    labels = [server.metadata for server in deployed.cloud.servers().values()]
    common = {(one["app"], one["environment"], one["generation"], one["release"], one["phase"]) for one in labels}

    assert common == {("guestbook", "production", status["generation"], status["release"], "serving")}
    assert sorted(one["slot"] for one in labels) == ["1", "2"]


def test_the_deploy_key_is_an_ed25519_keypair(deployed: Deployed):
    """Servers were made with a keypair of the app's, which is an ed25519 key."""
    keypairs = {keypair.name: keypair.public_key for keypair in deployed.cloud.nova.keypairs.list()}

    for server in deployed.cloud.servers().values():
        assert keypairs[server.key_name].startswith("ssh-ed25519 ")


def test_migrations_ran_once_and_tests_everywhere(deployed: Deployed):
    """One server ran the migrations, both of them the app's own tests."""
    outputs = [path.read_text() for path in deployed.operator.deploys.rglob("guestbook-production-*.log")]
    migrations = [line for output in outputs for line in output.splitlines() if line.startswith("migrate:")]

    assert sum("Applying guestbook.0001" in line for line in migrations) == 1
    assert [server.metadata["migrated"] for server in deployed.cloud.servers().values()].count("yes") == 1
    assert len([output for output in outputs if re.search(r"^test: Ran \d{2,} tests", output, re.MULTILINE)]) == 2


def test_the_summary_is_of_use(deployed: Deployed):
    """The summary has the addresses to open, the servers, the time of each stage, and what to type next."""
    _, summary = deployed.ran.stdout.split("guestbook is deployed to production.")

    for address in deployed.cloud.addresses():
        assert f"{address}/" in summary
    for server in deployed.operator.status()["servers"]:
        assert re.search(rf"{server['private_ip']} +ACTIVE +serving .* yes", summary)
    for stage in ("boot", "set up", "migrate", "test", "check", "rotate in"):
        assert re.search(rf"{stage} \d+\.\d s", summary)
    assert re.search(r"Next +fab status .*\n +fab deploy .*\n +fab local.down ", summary)


def test_status_has_the_documented_keys(deployed: Deployed):
    """`status --json` has exactly the documented keys."""
    status = deployed.operator.status()

    assert set(status) == STATUS
    assert {frozenset(server) for server in status["servers"]} == {frozenset(SERVER)}
    assert {frozenset(balancer) for balancer in status["load_balancers"]} == {frozenset(BALANCER)}
    nodes = [node for balancer in status["load_balancers"] for node in balancer["nodes"]]
    assert {frozenset(node) for node in nodes} == {frozenset(NODE)}


def test_status_tells_the_truth(deployed: Deployed):
    """What `status --json` says of servers, load balancers and nodes is what the cloud's own APIs say."""
    status = deployed.operator.status()
    servers, balancers = deployed.cloud.servers(), deployed.cloud.balancers()

    assert {one["name"]: (one["id"], one["status"], one["created"]) for one in status["servers"]} == {
        name: (server.id, server.status, server.created) for name, server in servers.items()
    }
    assert [one["in_rotation"] for one in status["servers"]] == [True, True]
    for one in status["load_balancers"]:
        truth = balancers[one["name"]]
        assert (one["id"], one["port"], one["status"]) == (truth.id, truth.port, "ACTIVE")
        assert one["virtual_ips"] == [truth.virtual_ip]
        assert {node["address"] for node in one["nodes"]} == {node.address for node in truth.nodes}
        assert {node["server_id"] for node in one["nodes"]} == {server.id for server in servers.values()}


def test_secrets_are_the_operators_alone(deployed: Deployed):
    """Keys, credentials and records can be read by nobody else, and no output shows the cloud's password or API key."""
    state = deployed.operator.folder / "disposable-servers"
    access = deployed.operator.local_status()
    private = [*state.glob("keys/*"), *state.glob("deploys/*/*"), state / "local-cloud"]
    files = [*state.glob("keys/*/*"), *state.glob("deploys/*/*/*"), state / "local-cloud" / "clouds.yaml"]

    assert {path.stat().st_mode & 0o777 for path in private} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert access["password"] not in deployed.ran.text
    assert access["api_key"] not in deployed.ran.text
