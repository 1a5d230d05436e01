"""Load balancers that Cloud Load Balancers v1.0 does not make, and in which words it refuses."""

import pytest

from tests.localcloud.clb_api import balancer_body, clb

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


@pytest.fixture(scope="module")
async def api(tmp_path_factory):
    """Run the service, changes taking no longer than Envoy does."""
    async with clb(tmp_path_factory.mktemp("clb")) as running:
        yield running


@pytest.fixture(autouse=True)
async def _room(api):
    """Leave no load balancer behind: the account may have 25."""
    yield
    await api.clear()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"virtualIps": [{"id": 999_999}]}, "Shared virtual ip could not be found."),
        ({"virtualIps": [{"id": "VIP"}], "port": "PORT"}, "Another load balancer is currently using the requested"),
        ({"virtualIps": [{"type": "PUBLIC"}, {"type": "SERVICENET"}]}, "Cannot supply more than one IPV4 virtual ip."),
        ({"protocol": "TCP", "port": ...}, "Must provide port for TCP and UDP protocols."),
        ({"protocol": "TCP", "sessionPersistence": {"persistenceType": "HTTP_COOKIE"}}, "HTTP_COOKIE Session"),
    ],
)
async def test_a_balancer_that_cannot_be_is_400(api, change, message):
    """Settings that do not go together, or with other load balancers, are refused in the service's words."""
    existing = await api.create()
    known = {"VIP": existing["virtualIps"][0]["id"], "PORT": existing["port"]}
    body = balancer_body(**change)
    body["port"] = known.get(body.get("port"), body.get("port"))
    body["virtualIps"] = [{name: known.get(value, value) for name, value in vip.items()} for vip in body["virtualIps"]]
    answer = await api.http.post("", json={"loadBalancer": body})

    assert (answer.status_code, answer.json()["code"]) == (400, 400)
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": ...}, "Must provide a name for the load balancer."),
        ({"name": "x" * 129}, "Load Balancer name must be less than or equal to 128"),
        ({"protocol": ...}, "Must provide a valid protocol for the load balancer."),
        ({"protocol": "GOPHER"}, "Load balancer protocol is invalid. Please specify a valid protocol."),
        ({"algorithm": "BEST"}, "Load balancer algorithm is invalid. Please specify a valid algorithm."),
        ({"port": 65_536}, "Load balancer port is invalid. Please specify a valid port."),
        ({"timeout": 29}, "Load balancer timeout is invalid. Please specify a valid timeout value."),
        ({"virtualIps": ...}, "Must provide at least one virtual ip for the load balancer."),
        ({"virtualIps": []}, "Must have at least one virtual ip for the load balancer"),
        ({"virtualIps": [{"id": 1, "type": "PUBLIC"}]}, "If sharing a virtual ip please only specify the id."),
        ({"status": "ACTIVE"}, "Load balancer status field cannot be modified."),
        ({"httpsRedirect": True}, "httpsRedirect is not offered by the local cloud. Please leave it out."),
    ],
)
async def test_wrong_fields_are_named(api, change, message):
    """A field that is missing or wrong is a validation failure with the service's sentence for it."""
    answer = await api.http.post("", json={"loadBalancer": balancer_body(**change)})

    assert answer.status_code == 400
    assert answer.json() == {
        "validationErrors": {"messages": [message]},
        "message": "Validation Failure",
        "code": 400,
        "details": "The object is not valid",
    }


@pytest.mark.parametrize("content", ["{", "[]", '{"loadBalancer": {"nam": "x"}}', '{"loadBalancer": {"port": "many"}}'])
async def test_a_body_of_another_shape_is_400(api, content):
    """Broken JSON and unknown fields are refused as "JSON does not match the expected schema"."""
    answer = await api.http.post("", content=content)

    assert (answer.status_code, answer.json()) == (400, {"message": ["JSON does not match the expected schema"]})


async def test_the_root_name_is_optional_and_null_means_absent(api):
    """`{"loadBalancer": {...}}` and `{...}` are the same; nulls are no values; numbers may come as text."""
    body = {**balancer_body(), "timeout": None, "algorithm": None, "port": "8124"}
    answer = await api.http.post("", json=body)

    assert (answer.status_code, answer.json()["loadBalancer"]["port"]) == (202, 8124)


async def test_an_account_has_25_balancers_at_most(api):
    """LOADBALANCER_LIMIT: one more is 413, without a Retry-After (CLB docs, limits)."""
    vip = (await api.create())["virtualIps"][0]["id"]
    for _ in range(24):
        await api.create(virtualIps=[{"id": vip}])
    answer = await api.http.post("", json=balancer_body())

    assert answer.status_code == 413
    assert answer.json()["message"].startswith("Load balancer limit reached.")
    assert "retry-after" not in answer.headers
