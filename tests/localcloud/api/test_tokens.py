"""Tokens are validated, used for others, and revoked (keystone api-ref, v3, authentication; Identity docs, tokens)."""

from typing import Any

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
V3 = "/identity/v3"


async def log_in(cloud: Cloud, query: str = "", **identity: Any) -> Any:
    """Ask for a v3 token, by password unless the test says otherwise."""
    user = cloud.compute.credentials
    password = {"user": {"id": user.user_id, "password": user.password}}
    asked = identity or {"methods": ["password"], "password": password}
    return await cloud.anonymous.post(f"{V3}/auth/tokens{query}", json={"auth": {"identity": asked}})


async def new_token(cloud: Cloud) -> str:
    """Get a v3 token."""
    return str((await log_in(cloud)).headers["X-Subject-Token"])


async def test_a_token_is_validated(cloud: Cloud):
    """GET says of a token what was said when it was given, with it in X-Subject-Token; HEAD says so without a body."""
    issued = await log_in(cloud)
    subject = {"X-Subject-Token": issued.headers["X-Subject-Token"]}
    shown = await cloud.http.get(f"{V3}/auth/tokens", headers=subject)
    checked = await cloud.http.head(f"{V3}/auth/tokens", headers=subject)

    assert (shown.status_code, checked.status_code) == (200, 200)
    assert shown.json() == issued.json()
    assert shown.headers["X-Subject-Token"] == subject["X-Subject-Token"]
    assert checked.content == b""


async def test_the_catalog_can_be_left_out(cloud: Cloud):
    """With `nocatalog` neither a new token nor a validated one comes with the catalog."""
    issued = await log_in(cloud, "?nocatalog")
    subject = {"X-Subject-Token": issued.headers["X-Subject-Token"]}
    shown = await cloud.http.get(f"{V3}/auth/tokens?nocatalog", headers=subject)

    assert "catalog" not in issued.json()["token"]
    assert "catalog" not in shown.json()["token"]


async def test_a_made_up_token_is_not_found(cloud: Cloud):
    """A token that is none of ours is 404, which is not repeated; without a token of one's own it is 401."""
    subject = {"X-Subject-Token": "made-up"}
    answers = [await cloud.http.request(verb, f"{V3}/auth/tokens", headers=subject) for verb in ("GET", "DELETE")]
    anonymous = await cloud.anonymous.get(f"{V3}/auth/tokens", headers=subject)

    assert [answer.status_code for answer in answers] == [404, 404]
    assert "made-up" not in answers[0].text
    assert anonymous.status_code == 401


async def test_a_revoked_token_opens_nothing(cloud: Cloud):
    """DELETE is 204, and from then on the token is 401 everywhere."""
    token = await new_token(cloud)
    own = {"X-Auth-Token": token}
    before = await cloud.anonymous.get("/compute/v2.1/servers", headers=own)
    revoked = await cloud.anonymous.delete(f"{V3}/auth/tokens", headers={**own, "X-Subject-Token": token})
    after = await cloud.anonymous.get("/compute/v2.1/servers", headers=own)

    assert (before.status_code, revoked.status_code, after.status_code) == (200, 204, 401)


async def test_a_token_gives_a_token(cloud: Cloud):
    """A token is a method as well; the new one expires when the old one does."""
    first = await log_in(cloud)
    second = await log_in(cloud, methods=["token"], token={"id": first.headers["X-Subject-Token"]})
    refused = await log_in(cloud, methods=["token"], token={"id": "made-up"})

    assert second.json()["token"]["methods"] == ["token", "password"]
    assert second.json()["token"]["expires_at"] == first.json()["token"]["expires_at"]
    assert second.headers["X-Subject-Token"] != first.headers["X-Subject-Token"]
    assert refused.status_code == 401


async def test_every_method_named_has_to_hold(cloud: Cloud):
    """A good token beside a wrong password gives nothing."""
    token = {"id": await new_token(cloud)}
    user = {"id": cloud.compute.credentials.user_id, "password": "wrong"}
    answer = await log_in(cloud, methods=["token", "password"], token=token, password={"user": user})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "identity", [{"methods": []}, {"methods": ["token"]}, {"methods": ["oauth1"], "oauth1": {}}, {"methods": "token"}]
)
async def test_malformed_requests_for_a_token(cloud: Cloud, identity: dict[str, Any]):
    """Methods that are missing, unknown or without what they need are a bad request in keystone's words."""
    answer = await log_in(cloud, **identity)

    assert (answer.status_code, answer.json()["error"]["title"]) == (400, "Bad Request")


async def test_v2_validates_and_revokes(cloud: Cloud):
    """v2.0 says what a token is worth and which endpoints it opens, 404 once it is revoked (Identity docs, tokens)."""
    user = cloud.compute.credentials
    body = {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": user.username, "apiKey": user.api_key}}}
    issued = (await cloud.anonymous.post("/identity/v2.0/tokens", json=body)).json()["access"]
    url = f"/identity/v2.0/tokens/{issued['token']['id']}"
    shown = (await cloud.http.get(url)).json()["access"]
    endpoints = (await cloud.http.get(f"{url}/endpoints")).json()["endpoints"]
    deleted = await cloud.http.delete(url)

    assert (shown["token"], shown["user"]) == (issued["token"], issued["user"])
    assert "rax:load-balancer" in {endpoint["type"] for endpoint in endpoints}
    assert deleted.status_code == 204
    assert (await cloud.http.get(url)).json()["itemNotFound"]["code"] == 404


async def test_v2_lists_the_tenant(cloud: Cloud):
    """v2.0 lists the one tenant, to who has a token."""
    tenants = (await cloud.http.get("/identity/v2.0/tenants")).json()["tenants"]

    assert [tenant["id"] for tenant in tenants] == [cloud.compute.credentials.project]
    assert (await cloud.anonymous.get("/identity/v2.0/tenants")).status_code == 401


async def test_what_users_look_up(cloud: Cloud):
    """The user, its project, domain and region can be seen, and are called the same everywhere."""
    user, project = cloud.compute.credentials.user_id, cloud.compute.credentials.project
    paths = {
        "auth/projects": ("projects", project),
        f"users/{user}/projects": ("projects", project),
        "regions": ("regions", "ORD"),
    }
    for path, (name, wanted) in paths.items():
        [item] = (await cloud.http.get(f"{V3}/{path}")).json()[name]
        assert item["id"] == wanted
    shown = {
        path: (await cloud.http.get(f"{V3}/{path}")).json()[name]["id"]
        for path, name in (
            (f"users/{user}", "user"),
            (f"projects/{project}", "project"),
            ("domains/default", "domain"),
            ("regions/ORD", "region"),
        )
    }

    assert list(shown.values()) == [user, project, "default", "ORD"]
    assert (await cloud.http.get(f"{V3}/auth/domains")).json()["domains"] == []
    assert len((await cloud.http.get(f"{V3}/auth/catalog")).json()["catalog"]) == 6


@pytest.mark.parametrize(
    "path", ["users", "projects", "domains", "services", "endpoints", "roles", "users/x", "projects/1", "domains/x"]
)
async def test_what_only_administrators_look_up(cloud: Cloud, path: str):
    """What belongs to others, or to all, is 403 in keystone's words."""
    answer = await cloud.http.get(f"{V3}/{path}")

    assert (answer.status_code, answer.json()["error"]["title"]) == (403, "Forbidden")


@pytest.mark.parametrize("path", ["auth/tokens", "auth/catalog", "auth/projects", "users", "regions"])
async def test_nothing_is_looked_up_without_a_token(cloud: Cloud, path: str):
    """Everything but logging in wants a token."""
    assert (await cloud.anonymous.get(f"{V3}/{path}")).status_code == 401
