"""Creating servers: what is accepted, what is refused and in which words (api-ref, servers, create)."""

import base64
from typing import Any

import pytest

from tasks.localcloud.compute.quotas import Quota
from tests.localcloud.cloud import ED25519, Cloud, in_memory

pytestmark = pytest.mark.anyio
SERVERS = "/compute/v2.1/servers"
TEXT = base64.b64encode(b"#!/bin/sh\n").decode()


async def refused(cloud: Cloud, body: Any) -> tuple[str, str]:
    """Post a body that is not accepted; gives the fault's name and message."""
    answer = await cloud.http.post(SERVERS, json=body)
    [(name, fault)] = answer.json().items()
    assert fault["code"] == answer.status_code
    return name, fault["message"]


async def test_the_answer_says_little(cloud: Cloud):
    """202 with id, links, adminPass, diskConfig and security groups; no name, status or addresses."""
    answer = await cloud.http.post(SERVERS, json=cloud.body())
    server = answer.json()["server"]

    assert answer.status_code == 202
    assert set(server) == {"id", "links", "adminPass", "OS-DCF:diskConfig", "security_groups"}
    assert answer.headers["Location"] == server["links"][0]["href"]


async def test_everything_asked_for_reaches_the_machine(cloud: Cloud):
    """Name, key, files, user data and metadata are what the machine is booted with."""
    cloud.compute.keypairs.add("deploy", ED25519)
    server_id = await cloud.create(
        "Web 1",
        key_name="deploy",
        metadata={"app": "guestbook"},
        personality=[{"path": "/etc/motd", "contents": base64.b64encode(b"hello").decode()}],
        user_data=TEXT,
        config_drive=True,
    )
    await cloud.settle()
    machine = cloud.machines.booted[server_id]

    assert machine.hostname == "web-1"
    assert machine.authorized_keys == (ED25519,)
    assert [(file.path, file.contents) for file in machine.personality] == [("/etc/motd", b"hello")]
    assert machine.user_data == b"#!/bin/sh\n"
    assert machine.metadata == {"app": "guestbook"}
    assert machine.private_ip == "127.9.2.1"


async def test_what_novaclient_always_sends_is_accepted(cloud: Cloud):
    """Counts of one, a zone, networks, security groups and a disk configuration are accepted."""
    await cloud.create(
        min_count=1,
        max_count=1,
        availability_zone="nova",
        networks=[{"uuid": "11111111-1111-1111-1111-111111111111"}],
        security_groups=[{"name": "default"}],
        **{"OS-DCF:diskConfig": "AUTO"},
    )


@pytest.mark.parametrize("key", ["name", "imageRef", "flavorRef"])
async def test_required_keys(cloud: Cloud, key: str):
    """Name, image and flavor are required."""
    body = cloud.body()
    del body["server"][key]

    assert await refused(cloud, body) == (
        "badRequest",
        f"Invalid input for field/attribute server. '{key}' is a required property",
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"server": []},
        {"server": {}, "sever": {}},
    ],
)
async def test_bodies_of_another_shape(cloud: Cloud, body: Any):
    """A body that is not one `server` object is a bad request."""
    assert (await refused(cloud, body))[0] == "badRequest"


async def test_unknown_keys_are_named(cloud: Cloud):
    """From 2.1 on an unknown key is refused, and named (rest_api_version_history, 2.1)."""
    _, message = await refused(cloud, cloud.body(flavour="general1-1"))

    assert message.endswith("Additional properties are not allowed ('flavour' was unexpected)")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": " web"},
        {"name": "x" * 256},
        {"name": "line\nbreak"},
        {"name": 1},
        {"metadata": {"key": 1}},
        {"metadata": {"key": "x" * 256}},
        {"metadata": {"k/y": "value"}},
        {"metadata": {"": "value"}},
        {"user_data": "not base64!"},
        {"user_data": 1},
        {"personality": [{"path": "/etc/motd"}]},
        {"personality": [{"path": "/etc/motd", "contents": "not base64!"}]},
        {"min_count": 0},
        {"min_count": 2, "max_count": 1},
        {"config_drive": "maybe"},
        {"OS-DCF:diskConfig": "SOMETIMES"},
        {"security_groups": ["default"]},
        {"networks": [{"uuid": "no such network"}]},
        {"availability_zone": "elsewhere"},
        {"imageRef": "no such image"},
        {"flavorRef": "no such flavor"},
        {"key_name": "no such key"},
    ],
)
async def test_wrong_values(cloud: Cloud, wrong: dict[str, Any]):
    """A wrong value is a bad request, and no server comes of it."""
    assert (await refused(cloud, cloud.body(**wrong)))[0] == "badRequest"
    assert cloud.servers.all() == []


async def test_an_unknown_key_is_called_invalid(cloud: Cloud):
    """A keypair that does not exist is refused in Nova's words."""
    assert await refused(cloud, cloud.body(key_name="nobody")) == ("badRequest", "Invalid key_name provided.")


async def test_user_data_is_limited_as_text(cloud: Cloud):
    """User data may have 65535 characters of base64, not one more."""
    fits, exceeds = "A" * 65_532, "A" * 65_536

    await cloud.create(user_data=fits)
    assert (await refused(cloud, cloud.body(user_data=exceeds)))[0] == "badRequest"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([{"path": f"/{number}", "contents": ""} for number in range(6)], "Personality file limit exceeded"),
        ([{"path": "/a", "contents": "A" * 13_660}], "Personality file content too long"),
        ([{"path": "/" + "a" * 255, "contents": ""}], "Personality file path too long"),
    ],
)
async def test_personality_has_limits(cloud: Cloud, files: list[dict[str, str]], message: str):
    """At most 5 files of 10240 bytes with paths of 255 bytes; more is forbidden (nova/conf/quota.py)."""
    assert await refused(cloud, cloud.body(personality=files)) == ("forbidden", message)


async def test_metadata_has_a_limit(cloud: Cloud):
    """At most 128 metadata items; more is forbidden."""
    many = {f"key{number}": "" for number in range(129)}

    assert await refused(cloud, cloud.body(metadata=many)) == (
        "forbidden",
        "Maximum number of metadata items exceeds 128",
    )


async def test_the_quota_of_servers():
    """One server more than the quota is 403, and the message counts."""
    async with in_memory(Quota(instances=1)) as cloud:
        await cloud.create()

        assert await refused(cloud, cloud.body()) == (
            "forbidden",
            "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances",
        )


async def test_a_deleted_server_frees_its_quota():
    """Room comes back when a server is deleted."""
    async with in_memory(Quota(ram=1024)) as cloud:
        server_id = await cloud.create()
        assert (await refused(cloud, cloud.body()))[1].startswith("Quota exceeded for ram: Requested 1024")

        await cloud.http.delete(f"{SERVERS}/{server_id}")
        await cloud.settle()
        await cloud.create()


async def test_several_servers_in_one_request():
    """As many servers as fit are made, at least min_count, with -1, -2 … behind the name."""
    async with in_memory(Quota(instances=2)) as cloud:
        answer = await cloud.http.post(
            SERVERS, json=cloud.body("web", min_count=1, max_count=3, return_reservation_id=True)
        )
        listed = await cloud.http.get(SERVERS, params=answer.json())

        assert [server["name"] for server in listed.json()["servers"]] == ["web-2", "web-1"]


async def test_a_body_that_is_not_json(cloud: Cloud):
    """Broken JSON is 400, another media type 415."""
    broken = await cloud.http.post(SERVERS, content="{", headers={"Content-Type": "application/json"})
    xml = await cloud.http.post(SERVERS, content="<server/>", headers={"Content-Type": "application/xml"})

    assert (broken.status_code, xml.status_code) == (400, 415)


async def test_values_are_not_repeated_in_refusals(cloud: Cloud):
    """A refusal names the place of the mistake, not the value, which may be a secret."""
    _, message = await refused(cloud, cloud.body(user_data="hunter2!"))

    assert "server.user_data" in message
    assert "hunter2" not in message
