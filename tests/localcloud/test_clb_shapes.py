"""The answers of Cloud Load Balancers v1.0 have the real service's documented fields, and no others."""

import re
from collections.abc import AsyncIterator

import pytest

from tests.localcloud.clb_api import Clb, balancer_body, clb
from tests.localcloud.clb_documented import DOCUMENTED
from tests.localcloud.shapes import differences, table
from tests.localcloud.traffic import eventually

pytestmark = pytest.mark.anyio

MONITOR = {
    "type": "HTTP",
    "delay": 1,
    "timeout": 1,
    "attemptsBeforeDeactivation": 1,
    "path": "/",
    "statusRegex": "^200$",
    "bodyRegex": "well",
    "hostHeader": "example.org",
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clb]:
    """Run the service, changes taking no longer than Envoy does."""
    async with clb(tmp_path_factory.mktemp("clb")) as running:
        yield running


@pytest.fixture(scope="module")
async def balancer(api: Clb) -> tuple[int, str, int]:
    """Have a load balancer with all that one can have; gives its id, its node's address and id."""
    node = api.node(weight=2)
    created = await api.create(
        nodes=[node],
        algorithm="WEIGHTED_ROUND_ROBIN",
        metadata=[{"key": "app", "value": "web"}],
        healthMonitor=MONITOR,
        sessionPersistence={"persistenceType": "HTTP_COOKIE"},
    )

    async def has_events() -> bool:
        return bool((await api.http.get(f"/{created['id']}/nodes/events")).json()["nodeServiceEvents"])

    await eventually(has_events)
    return created["id"], node["address"], created["nodes"][0]["id"]


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if name.startswith("GET") and "deleted" not in name])
async def test_what_is_read_has_the_documented_fields(api: Clb, balancer: tuple[int, str, int], name: str):
    """Every answer to a GET has exactly the documented fields, in the documented types; lists have items to look at."""
    balancer_id, address, node_id = balancer
    path = name.removeprefix("GET /loadbalancers").format(id=balancer_id, node=node_id)
    answer = await api.http.get(path.replace("=A", f"={address}"))

    assert answer.status_code == 200
    assert differences(answer.json(), DOCUMENTED[name]) == []
    assert all(value not in ([], {}) for value in answer.json().values())


async def test_a_bare_balancer_has_no_optional_fields(api: Clb):
    """What is not there is absent, never null: nodes, weights, monitor and persistence."""
    created = await api.create()
    shown = (await api.http.get(f"/{created['id']}")).json()
    optional = {name for name, (_, absent) in DOCUMENTED["GET /loadbalancers/{id}"].items() if absent}

    assert differences(shown, DOCUMENTED["GET /loadbalancers/{id}"]) == []
    assert not {f"loadBalancer.{name}" for name in shown["loadBalancer"]} & optional
    await api.accepted("DELETE", f"/{created['id']}")


async def test_what_is_made_has_the_documented_fields(api: Clb):
    """The answers to the creation of a load balancer and of nodes have the documented fields, weights included."""
    answer = await api.http.post("", json=balancer_body(nodes=[api.node()]))
    balancer_id = answer.json()["loadBalancer"]["id"]
    await api.settled(balancer_id)
    added = await api.accepted("POST", f"/{balancer_id}/nodes", json={"nodes": [api.node()]})

    assert differences(answer.json(), DOCUMENTED["POST /loadbalancers"]) == []
    assert differences(added.json(), DOCUMENTED["POST /loadbalancers/{id}/nodes"]) == []
    await api.accepted("DELETE", f"/{balancer_id}")


async def test_what_is_left_of_a_deleted_balancer(api: Clb):
    """A deleted load balancer has a name, a status and two times."""
    created = await api.create()
    await api.accepted("DELETE", f"/{created['id']}")
    shown = (await api.http.get(f"/{created['id']}")).json()

    assert differences(shown, DOCUMENTED["GET /loadbalancers/{id} (deleted)"]) == []


async def test_unknown_parameters_are_ignored(api: Clb, balancer: tuple[int, str, int]):
    """A query parameter that the service does not know, such as libcloud's cache-busting, changes no answer."""
    plain, busted = [(await api.http.get(f"/{balancer[0]}{query}")).json() for query in ("", "?cache-busting=1f")]

    assert plain == busted


@pytest.mark.parametrize("root", ["node", None])
async def test_root_names_and_nulls_mean_nothing(api: Clb, root: str | None):
    """A body is the same with and without its root name, and a null is as good as no field at all."""
    balancer_id, [node_id] = await api.create_with_nodes(1)
    change = {"condition": "DISABLED", "weight": None, "type": None}
    await api.accepted("PUT", f"/{balancer_id}/nodes/{node_id}", json={root: change} if root else change)

    assert [node["condition"] for node in await api.nodes(balancer_id)] == ["DISABLED"]
    await api.accepted("DELETE", f"/{balancer_id}")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"a": {"b": 1}}, []),
        ({"a": {"b": 1, "c": "2026-01-01T00:00:00Z"}}, []),
        ({"a": {}}, ["a.b is missing"]),
        ({}, ["a is missing"]),
        ({"a": {"b": "1"}}, ["a.b is string, not int"]),
        ({"a": {"b": True}}, ["a.b is bool, not int"]),
        ({"a": {"b": 1, "d": None}}, ["a.d is not documented"]),
        ({"a": {"b": 1, "c": "yesterday"}}, ["a.c is string, not time"]),
    ],
)
async def test_differences_are_found(answer: object, said: list[str]):
    """Fields too many, too few and of another type are differences; optional ones may be absent."""
    assert differences(answer, table("a object\n    b int\n    c? time")) == said


def test_every_documented_answer_is_looked_at():
    """The tables are those of the answers that are served: none has the form of something else."""
    assert all(re.fullmatch(r"(GET|POST) /loadbalancers[^ ]*( \(deleted\))?", name) for name in DOCUMENTED)
