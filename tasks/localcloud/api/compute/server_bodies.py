"""The shapes of requests about servers, and since or until which microversion each key exists.

Facts: nova/api/openstack/compute/schemas/servers.py, server_metadata.py.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from tasks.localcloud.api.bodies import Body
from tasks.localcloud.compute.refusals import BadRequest

USER_DATA_LIMIT = 65_535
"""Characters of the encoded text."""

TAG_LIMIT = 50
"""Tags of one server."""

_SINCE = {"description": 19, "tags": 52, "trusted_image_certificates": 63, "hostname": 90}
_UNTIL = {"personality": 56}


def _decodable(text: str) -> str:
    try:
        decode(text)
    except (binascii.Error, ValueError):
        msg = "It is not a 'base64'"
        raise ValueError(msg) from None
    return text


def decode(text: str) -> bytes:
    """Decode base64, line breaks allowed.

    :raises binascii.Error: it is something else.
    """
    return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)


Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$")]
Base64 = Annotated[str, AfterValidator(_decodable)]
MetadataKey = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9\-_:. ]{1,255}$")]
MetadataValue = Annotated[str, StringConstraints(max_length=255)]
Metadata = dict[MetadataKey, MetadataValue]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^,/]+$")]
Hostname = Annotated[
    str, StringConstraints(min_length=2, max_length=63, pattern=r"^[a-zA-Z0-9]+[a-zA-Z0-9\-]*[a-zA-Z0-9]+$")
]
Whole = Annotated[int, Field(ge=1)] | Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*$")]
Truth = bool | Literal["", "true", "True", "false", "False", "1", "0"]


class PersonalityFile(Body):
    """One file to inject."""

    path: str
    contents: Base64


class RequestedNetwork(Body):
    """One network to attach."""

    uuid: str | None = None
    port: str | None = None
    fixed_ip: str | None = None
    tag: str | None = None


class BlockDevice(Body):
    """What a server boots from, said once more: some clients name the image here as well. There are no volumes."""

    source_type: Literal["image"]
    destination_type: Literal["local"] = "local"
    uuid: str
    boot_index: Literal[0, "0"] = 0
    delete_on_termination: Truth = True


class SecurityGroup(Body):
    """A security group, by name."""

    name: str


class NewServer(Body):
    """What a server shall be."""

    name: Name
    imageRef: str  # noqa: N815  the API's own name
    flavorRef: str | int  # noqa: N815  the API's own name
    adminPass: str | None = None  # noqa: N815  the API's own name
    key_name: str | None = None
    metadata: Metadata = Field(default_factory=dict)
    personality: list[PersonalityFile] = Field(default_factory=list)
    user_data: Annotated[Base64, StringConstraints(max_length=USER_DATA_LIMIT)] | None = None
    block_device_mapping_v2: Annotated[list[BlockDevice], Field(max_length=1)] = Field(default_factory=list)
    networks: list[RequestedNetwork] | Literal["auto", "none"] | None = None
    min_count: Whole = 1
    max_count: Whole | None = None
    return_reservation_id: Truth = False
    config_drive: Truth | None = None
    security_groups: list[SecurityGroup] = Field(default_factory=list)
    availability_zone: str | None = None
    accessIPv4: str | None = None  # noqa: N815  the API's own name
    accessIPv6: str | None = None  # noqa: N815  the API's own name
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")
    description: Annotated[str, StringConstraints(max_length=255)] | None = None
    tags: Annotated[list[Tag], Field(max_length=TAG_LIMIT)] = Field(default_factory=list)
    trusted_image_certificates: None = None
    hostname: Hostname | None = None

    def password(self) -> str:
        """Give the administrator's password: as asked for, or a new one. Nobody can log in with it here."""
        return self.adminPass or secrets.token_urlsafe(9)


class SchedulerHints(BaseModel):
    """Where a server is wanted. There is only one place, so that all hints but the group are taken and do nothing."""

    model_config = ConfigDict(frozen=True)

    group: str | None = None


class CreateServer(Body):
    """`POST /servers`."""

    server: NewServer
    hints: SchedulerHints | None = Field(None, alias="os:scheduler_hints")
    old_hints: SchedulerHints | None = Field(None, alias="OS-SCH-HNT:scheduler_hints")

    def group(self) -> str | None:
        """Give the id of the server group that is asked for."""
        hints = self.hints or self.old_hints
        return hints.group if hints else None


class ServerChanges(Body):
    """What `PUT /servers/{id}` can change; access addresses have no meaning where there is one network."""

    name: Name | None = None
    description: Annotated[str, StringConstraints(max_length=255)] | None = None
    hostname: Hostname | None = None
    disk_config: Literal["AUTO", "MANUAL"] | None = Field(None, alias="OS-DCF:diskConfig")
    accessIPv4: str | None = None  # noqa: N815  the API's own name
    accessIPv6: str | None = None  # noqa: N815  the API's own name


class ChangeServer(Body):
    """`PUT /servers/{id}`."""

    server: ServerChanges


def check_new(body: Any, minor: int) -> None:
    """Refuse what `POST /servers` does not take in microversion 2.`minor`.

    :raises BadRequest: a key does not exist in it, or `networks` is missing from 2.37 on.
    """
    check_keys(body, minor)
    server = body.get("server") if isinstance(body, dict) else None
    if not isinstance(server, dict):
        return
    if minor >= 37 and "networks" not in server:
        raise BadRequest("Invalid input for field/attribute server. 'networks' is a required property")
    if minor < 37 and isinstance(server.get("networks"), str):
        raise BadRequest("Invalid input for field/attribute networks. Input should be a valid list")


def check_keys(body: Any, minor: int) -> None:
    """Refuse keys of a server that do not exist in microversion 2.`minor`.

    :raises BadRequest: there is one.
    """
    server = body.get("server") if isinstance(body, dict) else None
    for key in server if isinstance(server, dict) else {}:
        if minor < _SINCE.get(key, 0) or minor > _UNTIL.get(key, minor):
            problem = f"Additional properties are not allowed ('{key}' was unexpected)"
            raise BadRequest(f"Invalid input for field/attribute server. {problem}")


class MetadataBody(Body):
    """`POST` and `PUT /servers/{id}/metadata`."""

    metadata: Metadata


class MetadataItemBody(Body):
    """`PUT /servers/{id}/metadata/{key}`."""

    meta: Annotated[Metadata, Field(min_length=1, max_length=1)]
