"""Identity, as its documents state it."""

import re
from typing import Any

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
V2 = "/identity/v2.0/tokens"
V3 = "/identity/v3/auth/tokens"
DEFAULT = {"name": "Default"}


def api_key(cloud: Cloud, **more: Any) -> dict[str, Any]:
    """Give a request for a v2.0 token by API key."""
    user = cloud.compute.credentials
    return {
        "auth": {"RAX-KSKEY:apiKeyCredentials": {"username": user.username, "apiKey": user.api_key}, **more},
    }


def v2_password(cloud: Cloud, **more: Any) -> dict[str, Any]:
    """Give a request for a v2.0 token by password."""
    user = cloud.compute.credentials
    return {"auth": {"passwordCredentials": {"username": user.username, "password": user.password}, **more}}


def v3_password(cloud: Cloud, scope: dict[str, Any] | None = None, **user: Any) -> dict[str, Any]:
    """Give a request for a v3 token by password; `user` replaces what is right about the user."""
    credentials = cloud.compute.credentials
    asked = {"name": credentials.username, "domain": DEFAULT, "password": credentials.password} | user
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": asked}}}
    return {"auth": auth if scope is None else {**auth, "scope": {"project": scope}}}


@pytest.mark.parametrize(("body", "method"), [(api_key, "APIKEY"), (v2_password, "PASSWORD")])
async def test_v2_gives_a_token_for_either_secret(cloud: Cloud, body: Any, method: str):
    """An API key or a password gives a token that opens compute (Identity docs, authenticate)."""
    answer = await cloud.anonymous.post(V2, json=body(cloud))
    token = answer.json()["access"]["token"]
    opened = await cloud.anonymous.get("/compute/v2.1/servers", headers={"X-Auth-Token": token["id"]})

    assert answer.status_code == 200
    assert token["RAX-AUTH:authenticatedBy"] == [method]
    assert token["tenant"]["id"] == cloud.compute.credentials.project
    assert opened.status_code == 200


async def test_v2_tokens_expire_at_a_time_with_milliseconds(cloud: Cloud):
    """`expires` is ISO 8601 with milliseconds and Z (Identity docs, authenticate)."""
    answer = await cloud.anonymous.post(V2, json=api_key(cloud))
    expires = answer.json()["access"]["token"]["expires"]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", expires)


@pytest.mark.parametrize("key", ["tenantId", "tenantName"])
async def test_v2_takes_the_tenant_by_id_or_name(cloud: Cloud, key: str):
    """The tenant may be named, beside the credentials; another user's tenant is refused."""
    own = await cloud.anonymous.post(V2, json=api_key(cloud, **{key: cloud.compute.credentials.project}))
    foreign = await cloud.anonymous.post(V2, json=api_key(cloud, **{key: "1"}))

    assert (own.status_code, foreign.status_code) == (200, 401)


async def test_v2_refuses_a_tenant_given_twice(cloud: Cloud):
    """Both tenantId and tenantName are a bad request (Identity docs, authenticate)."""
    project = cloud.compute.credentials.project
    answer = await cloud.anonymous.post(V2, json=api_key(cloud, tenantId=project, tenantName=project))

    assert answer.status_code == 400
    assert answer.json()["badRequest"]["code"] == 400


async def test_v2_refuses_wrong_credentials(cloud: Cloud):
    """A wrong secret is 401 with the fault `unauthorized`, and the answer does not repeat it."""
    body = {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": "local", "apiKey": "not-the-key"}}}
    answer = await cloud.anonymous.post(V2, json=body)

    assert answer.status_code == 401
    assert answer.json()["unauthorized"]["code"] == 401
    assert "not-the-key" not in answer.text


@pytest.mark.parametrize(
    "body",
    [{}, {"auth": {}}, {"auth": {"passwordCredentials": {"username": "local"}}}, {"auth": {"passwordCredentials": 1}}],
)
async def test_v2_refuses_malformed_bodies(cloud: Cloud, body: dict[str, Any]):
    """A body without complete credentials is a bad request (Identity docs, authenticate: 400)."""
    assert (await cloud.anonymous.post(V2, json=body)).status_code == 400


async def test_v2_catalog(cloud: Cloud):
    """The catalog names each service, Rackspace's as Rackspace does, once, in the one region."""
    answer = await cloud.anonymous.post(V2, json=api_key(cloud))
    catalog = answer.json()["access"]["serviceCatalog"]
    project = cloud.compute.credentials.project

    assert {(service["name"], service["type"]) for service in catalog} == {
        ("cloudServersOpenStack", "compute"),
        ("cloudImages", "image"),
        ("cloudLoadBalancers", "rax:load-balancer"),
        ("neutron", "network"),
        ("octavia", "load-balancer"),
    }
    assert {len(service["endpoints"]) for service in catalog} == {1}
    assert {service["endpoints"][0]["region"] for service in catalog} == {"ORD"}
    assert f"http://127.9.0.1:5000/clb/v1.0/{project}" in {service["endpoints"][0]["publicURL"] for service in catalog}


@pytest.mark.parametrize("key", ["id", "name"])
async def test_v3_gives_a_token_scoped_to_the_project(cloud: Cloud, key: str):
    """A password gives a token in X-Subject-Token, 201, with catalog (keystone api-ref, password authentication)."""
    scope = {key: cloud.compute.credentials.project, "domain": DEFAULT}
    answer = await cloud.anonymous.post(V3, json=v3_password(cloud, scope))
    headers = {"X-Auth-Token": answer.headers["X-Subject-Token"]}

    assert answer.status_code == 201
    assert answer.json()["token"]["project"]["id"] == cloud.compute.credentials.project
    assert "compute" in {service["type"] for service in answer.json()["token"]["catalog"]}
    assert (await cloud.anonymous.get("/image/v2/images", headers=headers)).status_code == 200
    assert headers["X-Auth-Token"] not in answer.text


@pytest.mark.parametrize(
    ("scope", "user"),
    [
        (None, {"password": "wrong"}),
        (None, {"name": "somebody"}),
        (None, {"domain": {"name": "Other"}}),
        ({"id": "1"}, {}),
        ({"name": "other", "domain": DEFAULT}, {}),
    ],
)
async def test_v3_refuses_wrong_credentials(cloud: Cloud, scope: dict[str, Any] | None, user: dict[str, Any]):
    """A wrong password, user, domain or project is 401 in keystone's error body."""
    answer = await cloud.anonymous.post(V3, json=v3_password(cloud, scope, **user))

    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401


@pytest.mark.parametrize("service", ["/compute/v2.1/servers", "/image/v2/images", "/clb/v1.0/{project}/loadbalancers"])
@pytest.mark.parametrize("token", [{}, {"X-Auth-Token": "made-up"}])
async def test_every_service_wants_a_token(cloud: Cloud, service: str, token: dict[str, str]):
    """Without a token, or with a made-up one, every service answers 401."""
    path = service.format(project=cloud.compute.credentials.project)

    assert (await cloud.anonymous.get(path, headers=token)).status_code == 401


async def test_compute_refuses_in_keystones_words(cloud: Cloud):
    """A 401 of compute has keystone's body and says where to get a token (keystonemiddleware)."""
    answer = await cloud.anonymous.get("/compute/v2.1/servers")

    assert answer.json()["error"]["title"] == "Unauthorized"
    assert answer.headers["WWW-Authenticate"] == 'Keystone uri="http://127.9.0.1:5000/identity"'


async def test_load_balancers_refuse_without_a_body(cloud: Cloud):
    """A 401 of load balancers has no body (CLB docs, faults)."""
    assert (await cloud.anonymous.get("/clb/v1.0/1/loadbalancers")).content == b""


async def test_another_projects_load_balancers_are_unknown(cloud: Cloud):
    """A project that is not the user's is 404 for load balancers (CLB docs, faults)."""
    assert (await cloud.http.get("/clb/v1.0/1/loadbalancers")).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/identity/", 300),
        ("/identity/v2.0", 200),
        ("/identity/v3", 200),
        ("/compute/", 200),
        ("/compute/v2.1", 200),
        ("/compute/v2.1/", 200),
        ("/image/", 300),
        ("/image/versions", 200),
    ],
)
async def test_version_documents_are_open(cloud: Cloud, path: str, status: int):
    """Everybody can read which versions there are: clients do, before they have a token."""
    answer = await cloud.anonymous.get(path)

    assert answer.status_code == status
    assert {"version", "versions"} & set(answer.json())
