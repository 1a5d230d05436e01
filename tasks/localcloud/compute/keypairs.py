"""The user's keypairs: public keys that are put on servers at their first boot. Private keys are never kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
)

from tasks.localcloud.compute.refusals import BadRequest, Conflict, Forbidden, NotFound

_NAME = re.compile(r"[A-Za-z0-9 _\-.@]{1,255}")


@dataclass(frozen=True, kw_only=True)
class Keypair:
    """A named public key, as one OpenSSH line."""

    name: str
    public_key: str
    fingerprint: str
    created: datetime


class Keypairs:
    """All keypairs of the user; at most `limit`."""

    def __init__(self, limit: int = 100) -> None:
        self._limit = limit
        self._keypairs: dict[str, Keypair] = {}

    def all(self) -> list[Keypair]:
        """Give every keypair, by name."""
        return [self._keypairs[name] for name in sorted(self._keypairs)]

    def find(self, name: str) -> Keypair:
        """Give one keypair.

        :raises NotFound: there is none of this name.
        """
        try:
            return self._keypairs[name]
        except KeyError:
            raise NotFound(f"Keypair {name} not found for user") from None

    def add(self, name: str, public_key: str) -> Keypair:
        """Import a public key (Nova: keypairs, POST).

        :raises BadRequest: the name or the key is malformed.
        :raises Conflict: the name is taken.
        :raises Forbidden: there are too many.
        """
        if not _NAME.fullmatch(name) or name != name.strip():
            raise BadRequest("Keypair data is invalid: Keypair name contains unsafe characters")
        fingerprint = fingerprint_of(public_key)
        if name in self._keypairs:
            raise Conflict(f"Key pair '{name}' already exists.")
        if len(self._keypairs) >= self._limit:
            raise Forbidden("Quota exceeded, too many key pairs.")
        keypair = Keypair(name=name, public_key=public_key, fingerprint=fingerprint, created=datetime.now(UTC))
        self._keypairs[name] = keypair
        return keypair

    def remove(self, name: str) -> None:
        """Forget a keypair; servers that have it keep it.

        :raises NotFound: there is none of this name.
        """
        self.find(name)
        del self._keypairs[name]


def fingerprint_of(public_key: str) -> str:
    """Give the MD5 of a public key's blob, as Nova shows it (nova/crypto.py, generate_fingerprint).

    :raises BadRequest: it is not an OpenSSH public key.
    """
    try:
        blob = base64.b64decode(public_key.split(" ")[1], validate=True)
        load_ssh_public_key(public_key.encode())
    except (IndexError, UnicodeEncodeError, binascii.Error, ValueError, UnsupportedAlgorithm):
        raise BadRequest("Keypair data is invalid: failed to generate fingerprint") from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[start : start + 2] for start in range(0, 32, 2))


def generate(name: str) -> tuple[str, str]:
    """Make a 2048 bit RSA key as Nova does below 2.92; gives the private key (PEM) and the public one."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} {name}"
