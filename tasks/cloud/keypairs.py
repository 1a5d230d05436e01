"""The keypair that lets us in to new servers: imported once, never overwritten (compute api-ref, os-keypairs)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from tasks.cloud.profiles import ServerProfile
from tasks.errors import Conflict, NotFound, SettingsError


def check(keypairs: Any, profile: ServerProfile) -> None:
    """Say whether the profile's key can be used; changes nothing. The errors are those of `ensure`."""
    if profile.public_key:
        name = name_for(profile)
        _same(name, _public_key(keypairs, name) or profile.public_key, profile.public_key)
    elif profile.key_name and _public_key(keypairs, profile.key_name) is None:
        advice = "import it, or set public_key and it is imported"
        raise NotFound(f"there is no keypair {profile.key_name!r}", advice=advice)


def ensure(keypairs: Any, profile: ServerProfile) -> str | None:
    """Make sure that the cloud has the profile's key, and give the keypair's name; None when it wants no key.

    Two operators, or two servers at once, may do this at the same time.

    :param keypairs: novaclient's.
    :raises Conflict: a keypair of that name holds another key.
    :raises NotFound: a keypair was named without giving its key, and the cloud has none of that name.
    :raises SettingsError: the public key is none.
    """
    check(keypairs, profile)
    if not profile.public_key:
        return profile.key_name or None
    name = name_for(profile)
    if _public_key(keypairs, name) is None:
        _import(keypairs, name, profile.public_key)
    return name


def name_for(profile: ServerProfile) -> str:
    """Name the keypair of a public key: as the profile says, else after app, environment and key.

    Nova wants letters, digits, dashes and underscores.
    """
    digest = hashlib.sha256(_blob(profile.public_key)).hexdigest()[:12]
    return profile.key_name or re.sub(r"[^A-Za-z0-9_-]", "-", f"{profile.app}-{profile.environment}-{digest}")


def _public_key(keypairs: Any, name: str) -> str | None:
    try:
        return str(keypairs.get(name).to_dict()["public_key"])
    except NotFound:
        return None


def _import(keypairs: Any, name: str, public_key: str) -> None:
    try:
        keypairs.create(name, public_key)
    except Conflict:
        # Somebody else was faster; theirs is looked at like any other.
        _same(name, _public_key(keypairs, name) or "", public_key)


def _same(name: str, found: str, wanted: str) -> None:
    if _blob(found) != _blob(wanted):
        raise Conflict(
            f"the keypair {name!r} holds another public key than the one to be used",
            advice="choose another key_name, or leave it out and one is named after the key",
        )


def _blob(public_key: str) -> bytes:
    """Give the key itself, without its comment."""
    try:
        blob = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        blob = b""
    if not blob:
        raise SettingsError("the public key is no line like: ssh-ed25519 AAAA… comment")
    return blob
