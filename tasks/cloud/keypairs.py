"""The keypair that lets us in to new servers: imported once, never overwritten (compute api-ref, os-keypairs)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Any

from tasks.cloud.profiles import ServerProfile
from tasks.errors import Conflict, NotFound, SettingsError


def check(keypairs: Any, profile: ServerProfile) -> bool:
    """Say whether the cloud has the profile's keypair already; changes nothing.

    :param keypairs: novaclient's.
    :raises Conflict: a keypair of that name holds another key.
    :raises NotFound: a keypair was named without giving its key, and the cloud has none of that name.
    :raises SettingsError: the public key is none.
    """
    if not profile.public_key and not profile.key_name:
        return False
    name = name_for(profile)
    found = _public_key(keypairs, name)
    if profile.public_key:
        _same(name, found or profile.public_key, profile.public_key)
    elif found is None:
        raise NotFound(f"there is no keypair {name!r}", advice="import it, or set public_key and it is imported")
    return found is not None


def ensure(keypairs: Any, profile: ServerProfile) -> str | None:
    """Make sure that the cloud has the profile's key, and give the keypair's name; None when it wants no key.

    Two operators, or two servers at once, may do this at the same time. The errors are those of `check`.
    """
    if check(keypairs, profile):
        return name_for(profile)
    if not profile.public_key:
        return None
    name = name_for(profile)
    try:
        keypairs.create(name, profile.public_key)
    except Conflict:
        # Somebody else was faster; theirs is looked at like any other.
        check(keypairs, profile)
    return name


def name_for(profile: ServerProfile) -> str:
    """Name the keypair: as the profile says, else after app, environment and key.

    Nova wants letters, digits, dashes and underscores.
    """
    return profile.key_name or _name_after(profile, profile.public_key)


def kept(profile: ServerProfile) -> frozenset[str]:
    """Give the names of the keypairs that new servers of this profile may be created with."""
    names = {profile.key_name, name_for(profile)} if profile.public_key else {profile.key_name}
    return frozenset(names - {""})


def is_ours(profile: ServerProfile, name: str, public_key: str) -> bool:
    """Say whether a keypair is one that is imported for servers of this app and environment, whoever did it.

    It is named after app, environment and the very key it holds; one that only looks so is somebody else's.
    """
    try:
        return name == _name_after(profile, public_key)
    except SettingsError:
        return False


def _name_after(profile: ServerProfile, public_key: str) -> str:
    digest = hashlib.sha256(_blob(public_key)).hexdigest()[:12]
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"{profile.app}-{profile.environment}-{digest}")


def _public_key(keypairs: Any, name: str) -> str | None:
    try:
        return str(keypairs.get(name).to_dict()["public_key"])
    except NotFound:
        return None


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
