"""Going back: by hand, by the watch, by what the migrations did; and what makes room or order again."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stories.clouds import Cloud
from tests.stories.colleagues import COUNT, ROTATION, Office, deployed, held
from tests.stories.conftest import an_office
from tests.stories.operators import Operator, ended, eventually

pytestmark = pytest.mark.timeout(300)
CLB = {"service_type": "rax:load-balancer"}
ANSWER = "        asked = urlsplit(self.path)\n"
ILL = "            return self.send_error(503)\n"
ILL_AFTER_A_WHILE = (
    f"        LOOKS.append(asked.path)\n        if LOOKS.count('/healthz') > 3 and asked.path == '/healthz':\n{ILL}"
)
ILL_ON_THE_NEW_SCHEMA = (
    f"        if asked.path == '/healthz' and os.path.exists(os.environ['SHARED_DIR'] + '/new-schema'):\n{ILL}"
)


def edited(operator: Operator, addition: str) -> Operator:
    """Give the operator whose app does something more with each request."""
    app = operator.settings.parent / "apps" / operator.settings.stem / "serve.py"
    text = (
        app.read_text().replace(ANSWER, ANSWER + addition).replace("\n\nclass Visit", "\n\nLOOKS = []\n\n\nclass Visit")
    )
    app.write_text(text)
    return operator


def phases(cloud: Cloud) -> dict[str, str]:
    """Give what each server is by its metadata, by name."""
    parked = {name: server.metadata.get("parked") for name, server in cloud.servers().items()}
    return {name: "parked" if until else "serving" for name, until in parked.items()}


def test_parked_servers_are_put_back(face: str, office: Office):
    """With `standby`, `rollback` puts the servers that served before back into rotation; no request fails."""
    first = office.ann.releasing("ada", standby="30m").manages("deploy")
    served = {name for name, phase in phases(office.cloud).items() if phase == "serving"}
    second = office.ann.releasing("bob", standby="30m").manages("deploy")
    kept = {name for name, phase in phases(office.cloud).items() if phase == "parked"}
    with office.visited() as (traffic, changes):
        ran = office.ann.releasing("bob", standby="30m").manages("rollback")
    release, left = deployed(first.stdout), deployed(second.stdout)
    after = phases(office.cloud)

    assert f"Going back from release {left} to release {release}, on the servers that were kept: " in ran.stdout
    assert "Migrations are not undone" in ran.stdout
    assert {name for name, phase in after.items() if phase == "serving"} == served & kept == served
    assert {office.cloud.page().release for _ in range(4)} == {release}
    assert changes.seen() == [ROTATION[face]] * 2
    assert traffic.failed == []


def test_what_was_not_kept_is_deployed_again(office: Office):
    """Without parked servers `rollback` deploys the artifact of the release before on new servers; no request fails."""
    first = office.ann.releasing("cyd").manages("deploy")
    office.ann.releasing("dan").manages("deploy")
    before = set(office.cloud.servers())
    with office.visited() as (traffic, _):
        office.ann.releasing("dan").manages("rollback")

    assert office.disorder(deployed(first.stdout)) == []
    assert not before & set(office.cloud.servers())
    assert traffic.failed == []


@contextmanager
def reverted(office: Office) -> Iterator[None]:
    """Expect that what happens meanwhile leaves servers and nodes as they were, and lets no request fail."""
    before = office.cloud.servers().keys(), office.cloud.nodes()
    with office.visited() as (traffic, _):
        yield
    assert (office.cloud.servers().keys(), office.cloud.nodes()) == before
    assert traffic.failed == []


@pytest.mark.told_on("openstack")
def test_a_command_that_finds_fault(office: Office):
    """When the watch's command fails, the old servers serve again, the deploy exits 5 and shows what it printed."""
    with reverted(office):
        ran = office.ann.releasing("odd", watch=30, commands__watch="echo sales are down; exit 1").fab("deploy")

    assert ran.code == 5, ran.text
    assert "sales are down" in ran.stderr
    assert "The old servers serve again" in ran.stderr


def test_an_app_that_falls_ill(office: Office):
    """When a new server fails its check after it has begun to serve, the old ones serve again: exit code 5."""
    with reverted(office):
        ran = edited(office.ann.releasing("ill", watch=30), ILL_AFTER_A_WHILE).fab("deploy")

    assert ran.code == 5, ran.text
    assert "503" in ran.stderr
    assert "The old servers serve again" in ran.stderr


def test_a_canary(face: str, office: Office):
    """With `batches = [1, "100%"]` one server serves and is watched before the other is added; no request fails."""
    with office.visited() as (traffic, changes):
        ran = office.ann.releasing("eve", batches=[1, "100%"], watch=1).manages("deploy")
    add, drain, remove = ROTATION[face]

    assert office.disorder(deployed(ran.stdout)) == []
    assert changes.seen() == [[add, add, drain, remove]] * 2
    assert traffic.failed == []


def test_a_quota_for_one_server_more(office: Office):
    """Where one more server fits, old ones are replaced one by one: never fewer serve than before, no request fails."""
    nova = office.cloud.nova
    large = office.ann.releasing("big", server__flavor="general1-8")
    large.manages("deploy")
    room = nova.limits.get().to_dict()["absolute"]["maxTotalRAMSize"] // 8192 - COUNT - 1
    office.host.manages("local.fault", "build-hangs", "--times", "0", "--match", "filler")
    fillers = [nova.servers.create(f"filler-{n}", image_of(office.cloud), "general1-8") for n in range(room)]
    try:
        with office.visited() as (traffic, _), least(office.cloud) as seen:
            ran = large.fab("deploy")
    finally:
        office.host.manages("local.fault", "--clear")
        for filler in fillers:
            filler.delete()
    eventually(lambda: len(office.cloud.servers()) == COUNT or None, "the fillers to be gone")

    assert ran.code == 0, ran.text
    assert min(seen) == COUNT
    assert office.disorder(deployed(ran.stdout)) == []
    assert traffic.failed == []


@contextmanager
def least(cloud: Cloud) -> Iterator[list[int]]:
    """Look all the time at how many nodes of each load balancer are ENABLED, and keep the least number of each look."""
    seen: list[int] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            nodes = [balancer.nodes for balancer in cloud.balancers().values()]
            seen.append(min(sum(node.condition == "ENABLED" for node in of_one) for of_one in nodes))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()


def test_migrations_that_the_old_release_cannot_bear(office: Office):
    """When old servers fail their check after the migrations, the deploy exits 4 and says so; the new ones go."""
    marker = '"$SHARED_DIR/new-schema"'
    edited(office.ann.releasing("frail"), ILL_ON_THE_NEW_SCHEMA).manages("deploy")
    with reverted(office):
        ran = office.ann.releasing("rash", commands__migrate=f"touch {marker}").fab("deploy")
    office.ann.releasing("sane", commands__migrate=f"rm {marker}").manages("deploy")

    assert ran.code == 4, ran.text
    assert "was well before the migrations, and is not since they ran" in ran.stderr
    assert "503" in ran.stderr


def test_a_deploy_that_was_killed_is_undone(office: Office):
    """`abort` undoes a deploy that was killed in the middle of its rotation; no request fails."""
    with reverted(office):
        with held(office.ann, "gone") as busy:
            os.killpg(busy.process.pid, signal.SIGKILL)
            ended(busy.process)
        said = office.ann.releasing("gone").manages("status").stdout
        ran = office.ann.releasing("gone").manages("abort")

    assert "interrupted" in said
    assert "undoing the interrupted deploy of" in ran.stdout


def test_what_is_left_over(caches: Path):
    """`reap` lists our idle server and the node whose server is gone, nothing of others'; `--yes` deletes just that."""
    with an_office("rackspace", caches) as office:
        office.ann.releasing("ada").manages("deploy")
        lost, _ = office.cloud.servers().values()
        foreign_things(office.cloud)
        office.ann.releasing("idle").manages("servers.create", "--count", "1")
        [idle] = (one for one in office.cloud.servers().values() if one.metadata.get("phase") == "booting")
        lost.delete()
        eventually(lambda: lost.name not in office.cloud.servers() or None, "a server deleted by hand")
        servers, nodes = office.cloud.servers().keys(), office.cloud.nodes()
        listed = office.ann.releasing("ada").manages("reap")
        assert (office.cloud.servers().keys(), office.cloud.nodes()) == (servers, nodes)
        office.ann.releasing("ada").manages("reap", "--yes")
        after = office.cloud.nodes()

        assert "1 server, 2 nodes: `fab reap --yes` deletes" in listed.stdout
        assert idle.name in listed.stdout
        assert listed.stdout.count(f"its server {lost.name} is gone") == 2
        assert office.cloud.servers().keys() == servers - {idle.name}
        assert nodes.keys() - after.keys() == {name for name in nodes if name.endswith(f" {address(lost)}")}
        assert {key.name for key in office.cloud.nova.keypairs.list()} >= {"theirs"}


def foreign_things(cloud: Cloud) -> None:
    """Put a server, a keypair and a node of somebody else's beside ours."""
    cloud.nova.keypairs.create("theirs")
    cloud.nova.servers.create("theirs", image_of(cloud), "general1-1", key_name="theirs")
    eventually(lambda: cloud.servers()["theirs"].status == "ACTIVE" or None, "their server")
    for balancer in cloud.balancers().values():
        node = {"address": "127.0.0.9", "port": 8000, "condition": "DISABLED"}
        cloud.session.post(f"/loadbalancers/{balancer.id}/nodes", json={"nodes": [node]}, endpoint_filter=CLB)
    eventually(lambda: {one.status for one in cloud.balancers().values()} == {"ACTIVE"} or None, "the load balancers")


def image_of(cloud: Cloud) -> str:
    """Give the id of the image that our servers were made from."""
    return str(next(iter(cloud.servers().values())).image["id"])


def address(server: Any) -> str:
    """Give a server's private IP."""
    return str(server.addresses["private"][0]["addr"])


def test_a_load_balancer_made_by_hand(caches: Path):
    """It is refused with exit code 3 and the word `--adopt`; with that it is taken over, and others' nodes stay."""
    node = {"address": "127.0.0.9", "port": 8000, "condition": "DISABLED"}
    made = {"name": "guestbook-production-http", "protocol": "HTTP", "port": 8080, "nodes": [node]}
    with an_office("rackspace", caches) as office:
        body = {"loadBalancer": made | {"virtualIps": [{"type": "PUBLIC"}]}}
        made_id = office.cloud.session.post("/loadbalancers", json=body, endpoint_filter=CLB).json()["loadBalancer"][
            "id"
        ]
        refused = office.ann.releasing("ada").fab("deploy")
        nothing = office.cloud.servers()
        adopted = office.ann.releasing("ada").manages("deploy", "--adopt")
        balancer = office.cloud.balancers()["guestbook-production-http"]

        assert (refused.code, nothing) == (3, {})
        assert "--adopt" in refused.stderr
        assert "load balancer guestbook-production-http is taken over" in adopted.stdout
        assert balancer.id == str(made_id)
        assert sorted(one.condition for one in balancer.nodes) == ["DISABLED", *["ENABLED"] * COUNT]
        assert office.cloud.page().release == deployed(adopted.stdout)
