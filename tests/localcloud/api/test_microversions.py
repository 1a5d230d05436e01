"""Microversions of compute (nova, rest_api_version_history)."""

from typing import Any

import pytest

from tests.localcloud.cloud import ED25519, Cloud

pytestmark = pytest.mark.anyio
OLD = "X-OpenStack-Nova-API-Version"
NEW = "OpenStack-API-Version"


def speak(version: str) -> dict[str, str]:
    """Give the header that asks for a microversion."""
    return {NEW: f"compute {version}"}


@pytest.mark.parametrize(
    ("headers", "spoken"),
    [
        ({}, "2.1"),
        ({OLD: "2.10"}, "2.10"),
        ({NEW: "compute 2.60"}, "2.60"),
        ({NEW: "compute 2.60", OLD: "2.10"}, "2.60"),
        ({NEW: "placement 1.2, compute 2.60"}, "2.60"),
        ({NEW: "placement 1.2"}, "2.1"),
        ({OLD: "latest"}, "2.96"),
    ],
)
async def test_answers_name_the_version_they_speak(cloud: Cloud, headers: dict[str, str], spoken: str):
    """A request speaks the version it names, 2.1 without one; the answer says so in both headers and in Vary."""
    answer = await cloud.http.get("/compute/v2.1/servers", headers=headers)

    assert answer.status_code == 200
    assert answer.headers[OLD] == spoken
    assert answer.headers[NEW] == f"compute {spoken}"
    assert OLD in answer.headers["Vary"]
    assert NEW in answer.headers["Vary"]


@pytest.mark.parametrize("version", ["2.0", "2.97", "3.1", "1.1"])
async def test_versions_that_are_not_served(cloud: Cloud, version: str):
    """A version outside 2.1 to 2.96 is 406 and the answer gives the range."""
    answer = await cloud.http.get("/compute/v2.1/servers", headers={OLD: version})

    assert answer.status_code == 406
    assert answer.json()["notAcceptable"]["message"].endswith("Minimum is 2.1 and maximum is 2.96.")


@pytest.mark.parametrize("version", ["2", "two", "2.1.1", "2.01"])
async def test_what_is_no_version(cloud: Cloud, version: str):
    """Anything that is not major.minor is 400."""
    answer = await cloud.http.get("/compute/v2.1/servers", headers={OLD: version})

    assert answer.status_code == 400
    assert "is of invalid format" in answer.json()["badRequest"]["message"]


@pytest.mark.parametrize(
    ("before", "since", "field"),
    [
        ("2.8", "2.9", "locked"),
        ("2.18", "2.19", "description"),
        ("2.25", "2.26", "tags"),
        ("2.70", "2.71", "server_groups"),
        ("2.72", "2.73", "locked_reason"),
        ("2.89", "2.90", "OS-EXT-SRV-ATTR:hostname"),
        ("2.95", "2.96", "pinned_availability_zone"),
    ],
)
async def test_fields_appear_with_their_version(cloud: Cloud, before: str, since: str, field: str):
    """A server shows a field from its microversion on, and not before."""
    server_id = await cloud.create()

    assert field not in await cloud.show(server_id, **speak(before))
    assert field in await cloud.show(server_id, **speak(since))


async def test_the_flavor_is_embedded_from_2_47_on(cloud: Cloud):
    """Up to 2.46 a server's flavor is an id and a link, since 2.47 its sizes without an id."""
    server_id = await cloud.create()
    linked = (await cloud.show(server_id, **speak("2.46")))["flavor"]
    embedded = (await cloud.show(server_id, **speak("2.47")))["flavor"]

    assert linked["id"] == "general1-1"
    assert "id" not in embedded
    assert (embedded["ram"], embedded["vcpus"]) == (1024, 1)


@pytest.mark.parametrize(
    ("version", "more", "status"),
    [
        ("2.36", {}, 202),
        ("2.37", {}, 400),
        ("2.37", {"networks": "auto"}, 202),
        ("2.36", {"networks": "auto"}, 400),
        ("2.56", {"networks": "auto", "personality": []}, 202),
        ("2.57", {"networks": "auto", "personality": []}, 400),
        ("2.18", {"description": "new"}, 400),
        ("2.19", {"description": "new"}, 202),
        ("2.51", {"networks": "auto", "tags": ["a"]}, 400),
        ("2.52", {"networks": "auto", "tags": ["a"]}, 202),
        ("2.89", {"networks": "auto", "hostname": "web-1"}, 400),
        ("2.90", {"networks": "auto", "hostname": "web-1"}, 202),
    ],
)
async def test_what_create_takes(cloud: Cloud, version: str, more: dict[str, Any], status: int):
    """Networks are required from 2.37 on, personality is gone from 2.57 on, new keys come with their version."""
    answer = await cloud.http.post("/compute/v2.1/servers", json=cloud.body(**more), headers=speak(version))

    assert answer.status_code == status, answer.text


async def test_unknown_filters_are_refused_from_2_75_on(cloud: Cloud):
    """A query parameter that does not exist is ignored up to 2.74 and 400 since 2.75."""
    old = await cloud.http.get("/compute/v2.1/servers?tag=x", headers=speak("2.74"))
    new = await cloud.http.get("/compute/v2.1/servers?tag=x", headers=speak("2.75"))

    assert (old.status_code, new.status_code) == (200, 400)


async def test_images_leave_compute_with_2_36(cloud: Cloud):
    """The images proxy answers up to 2.35 and is 404 since 2.36."""
    old = await cloud.http.get("/compute/v2.1/images", headers=speak("2.35"))
    new = await cloud.http.get("/compute/v2.1/images", headers=speak("2.36"))

    assert (old.status_code, new.status_code) == (200, 404)


@pytest.mark.parametrize(
    ("version", "keypair", "created", "deleted"),
    [
        ("2.1", {}, 200, 202),
        ("2.2", {"type": "ssh"}, 201, 204),
    ],
)
async def test_keypairs_change_their_answers_with_2_2(
    cloud: Cloud, version: str, keypair: dict[str, str], created: int, deleted: int
):
    """From 2.2 on a keypair has a type, and create and delete answer 201 and 204."""
    body = {"keypair": {"name": "deploy", "public_key": ED25519, **keypair}}
    posted = await cloud.http.post("/compute/v2.1/os-keypairs", json=body, headers=speak(version))
    removed = await cloud.http.delete("/compute/v2.1/os-keypairs/deploy", headers=speak(version))

    assert (posted.status_code, removed.status_code) == (created, deleted)
    assert ("type" in posted.json()["keypair"]) == (version == "2.2")


async def test_a_keypair_type_is_unknown_before_2_2(cloud: Cloud):
    """The key `type` is an unknown one in 2.1."""
    body = {"keypair": {"name": "deploy", "public_key": ED25519, "type": "ssh"}}

    assert (await cloud.http.post("/compute/v2.1/os-keypairs", json=body)).status_code == 400


async def test_keypairs_are_only_imported_from_2_92_on(cloud: Cloud):
    """Without a public key a pair is made up to 2.91, and refused since 2.92."""
    body = {"keypair": {"name": "deploy"}}
    new = await cloud.http.post("/compute/v2.1/os-keypairs", json=body, headers=speak("2.92"))
    old = await cloud.http.post("/compute/v2.1/os-keypairs", json=body, headers=speak("2.91"))

    assert (new.status_code, old.status_code) == (400, 201)
    assert "PRIVATE KEY" in old.json()["keypair"]["private_key"]
