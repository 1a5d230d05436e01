"""Application credentials (keystone api-ref, v3, application credentials)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.localcloud.cloud import Cloud

pytestmark = pytest.mark.anyio
TOKENS = "/identity/v3/auth/tokens"


def address(cloud: Cloud) -> str:
    """Give where the user's application credentials are."""
    return f"/identity/v3/users/{cloud.compute.credentials.user_id}/application_credentials"


async def create(cloud: Cloud, name: str = "deploy", **wanted: Any) -> dict[str, Any]:
    """Make an application credential."""
    body = {"application_credential": {"name": name, **wanted}}
    answer = await cloud.http.post(address(cloud), json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["application_credential"])


async def log_in(cloud: Cloud, scope: dict[str, Any] | None = None, **shown: Any) -> Any:
    """Ask for a token by an application credential."""
    auth: dict[str, Any] = {"identity": {"methods": ["application_credential"], "application_credential": shown}}
    return await cloud.anonymous.post(TOKENS, json={"auth": auth if scope is None else {**auth, "scope": scope}})


async def test_id_and_secret_log_in(cloud: Cloud):
    """Id and secret give a token for the project, which says what it was given for."""
    made = await create(cloud)
    answer = await log_in(cloud, id=made["id"], secret=made["secret"])
    token = answer.json()["token"]
    opened = await cloud.anonymous.get(
        "/compute/v2.1/servers", headers={"X-Auth-Token": answer.headers["X-Subject-Token"]}
    )

    assert answer.status_code == 201
    assert token["methods"] == ["application_credential"]
    assert token["application_credential"] == {"id": made["id"], "name": "deploy", "restricted": True}
    assert token["project"]["id"] == cloud.compute.credentials.project
    assert opened.status_code == 200


@pytest.mark.parametrize("by", ["id", "name"])
async def test_name_secret_and_user_log_in(cloud: Cloud, by: str):
    """By its name it needs the user as well, by id or by name and domain."""
    made = await create(cloud, secret="chosen by me")
    mine = cloud.compute.credentials
    user = {"id": mine.user_id} if by == "id" else {"name": mine.username, "domain": {"id": "default"}}
    answers = [
        await log_in(cloud, name="deploy", secret="chosen by me", **who) for who in ({"user": user}, {}, {"user": {}})
    ]

    assert made["secret"] == "chosen by me"
    assert [answer.status_code for answer in answers] == [201, 401, 401]


@pytest.mark.parametrize("shown", [{"id": "unknown", "secret": "x"}, {"id": "{id}", "secret": "x"}, {"secret": "x"}])
async def test_wrong_secrets_are_refused(cloud: Cloud, shown: dict[str, str]):
    """An unknown id, a wrong secret, and no name at all are 401."""
    made = await create(cloud)

    assert (await log_in(cloud, **{k: v.format(id=made["id"]) for k, v in shown.items()})).status_code == 401


async def test_it_cannot_ask_for_a_scope(cloud: Cloud):
    """An application credential has its project: a scope beside it is 401, as keystone has it."""
    made = await create(cloud)
    scope = {"project": {"id": cloud.compute.credentials.project}}

    assert (await log_in(cloud, scope, id=made["id"], secret=made["secret"])).status_code == 401


async def test_the_secret_is_shown_once(cloud: Cloud):
    """Only the answer to the creation has the secret; shown, listed and found by name it is the same without it."""
    made = await create(cloud, description="for CI")
    await create(cloud, "other")
    shown = (await cloud.http.get(f"{address(cloud)}/{made['id']}")).json()["application_credential"]
    listed = (await cloud.http.get(address(cloud))).json()["application_credentials"]
    found = (await cloud.http.get(address(cloud), params={"name": "deploy"})).json()["application_credentials"]

    assert {**shown, "secret": made["secret"]} == made
    assert [one["name"] for one in listed] == ["deploy", "other"]
    assert found == [shown]
    assert (shown["description"], shown["expires_at"], shown["unrestricted"]) == ("for CI", None, False)


async def test_it_expires(cloud: Cloud):
    """A token does not outlast its application credential, and afterwards there are no more of them."""
    now = datetime.now(UTC)
    made = await create(cloud, expires_at=(now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.%f"))
    token = (await log_in(cloud, id=made["id"], secret=made["secret"])).json()["token"]
    cloud.tokens.now = lambda: now + timedelta(hours=2)
    late = await log_in(cloud, id=made["id"], secret=made["secret"])

    assert token["expires_at"].startswith(made["expires_at"])
    assert late.status_code == 401


@pytest.mark.parametrize(
    "wanted",
    [
        {"name": ""},
        {"name": "x", "expires_at": "2020-01-01T00:00:00Z"},
        {"name": "x", "expires_at": "soon"},
        {"name": "x", "roles": [{"name": "admin"}]},
        {"name": "x", "project_id": "1"},
        {"name": "x", "colour": "blue"},
        {"name": "x", "access_rules": [{"service": "compute"}]},
        {},
    ],
)
async def test_malformed_wishes(cloud: Cloud, wanted: dict[str, Any]):
    """A missing name, an end in the past, a role or project that is not the user's, an unknown key: 400."""
    answer = await cloud.http.post(address(cloud), json={"application_credential": wanted})

    assert answer.status_code == 400


async def test_nulls_are_as_good_as_nothing(cloud: Cloud):
    """What clients send as null because nobody chose it is absent (keystone/application_credential/schema.py)."""
    unchosen = dict.fromkeys(("secret", "description", "expires_at", "unrestricted", "roles", "access_rules"))
    made = await create(cloud, **unchosen)

    assert (made["description"], made["expires_at"], made["unrestricted"]) == ("", None, False)
    assert len(made["secret"]) > 40


async def test_a_name_is_used_once(cloud: Cloud):
    """A second one of the same name is 409."""
    await create(cloud)
    answer = await cloud.http.post(address(cloud), json={"application_credential": {"name": "deploy"}})

    assert answer.status_code == 409


async def test_deleted_it_ends_its_tokens(cloud: Cloud):
    """Deleting one is 204; it and every token that it gave are worth nothing any more, others are."""
    made, other = await create(cloud), await create(cloud, "other")
    tokens = [(await log_in(cloud, id=one["id"], secret=one["secret"])).headers for one in (made, other)]
    deleted = await cloud.http.delete(f"{address(cloud)}/{made['id']}")
    seen = [
        await cloud.anonymous.get("/compute/v2.1/servers", headers={"X-Auth-Token": token["X-Subject-Token"]})
        for token in tokens
    ]

    assert deleted.status_code == 204
    assert [answer.status_code for answer in seen] == [401, 200]
    assert (await log_in(cloud, id=made["id"], secret=made["secret"])).status_code == 401
    assert (await cloud.http.get(f"{address(cloud)}/{made['id']}")).status_code == 404


@pytest.mark.parametrize(("unrestricted", "statuses"), [(False, [403, 403]), (True, [201, 204])])
async def test_only_unrestricted_ones_make_others(cloud: Cloud, unrestricted: bool, statuses: list[int]):
    """With a token from an application credential others can be made and deleted only when it is unrestricted."""
    made = await create(cloud, unrestricted=unrestricted)
    token = (await log_in(cloud, id=made["id"], secret=made["secret"])).headers["X-Subject-Token"]
    headers, body = {"X-Auth-Token": token}, {"application_credential": {"name": "second"}}
    posted = await cloud.anonymous.post(address(cloud), json=body, headers=headers)
    deleted = await cloud.anonymous.delete(f"{address(cloud)}/{made['id']}", headers=headers)

    assert [posted.status_code, deleted.status_code] == statuses


async def test_others_application_credentials_are_forbidden(cloud: Cloud):
    """Another user's are 403."""
    assert (await cloud.http.get("/identity/v3/users/somebody/application_credentials")).status_code == 403
