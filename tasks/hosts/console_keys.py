"""SSH host keys as a server prints them on its console. Pure; knows neither SSH nor a cloud.

cloud-init's `keys_to_console` prints the public keys between two marks, in the final stage of the first boot. A serial
console mixes kernel messages into that, so each line is judged on its own (cloud-init, `write-ssh-key-fingerprints`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
END = "-----END SSH HOST KEY KEYS-----"
_FIELDS = {
    "ssh-ed25519": 2,
    "ecdsa-sha2-nistp256": 3,
    "ecdsa-sha2-nistp384": 3,
    "ecdsa-sha2-nistp521": 3,
    "ssh-rsa": 3,
}
_KEY = re.compile(rf"(?:^|\s)({'|'.join(_FIELDS)})\s+([A-Za-z0-9+/]+={{0,2}})(?=\s|$)")


@dataclass(frozen=True, kw_only=True)
class HostKey:
    """A public host key: its type, such as "ssh-ed25519", and its base64 text."""

    type: str
    text: str

    @property
    def blob(self) -> bytes:
        """Give the key as it travels over SSH (RFC 4253, 6.6)."""
        return base64.b64decode(self.text)

    @property
    def fingerprint(self) -> str:
        """Give the fingerprint as `ssh-keygen -l` shows it."""
        return fingerprint(self.blob)


def fingerprint(blob: bytes) -> str:
    """Give the SHA256 fingerprint of a public key as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def host_keys(console: str) -> tuple[HostKey, ...]:
    """Give the keys of the last complete block that holds any; none when there is no such block yet."""
    found: tuple[HostKey, ...] = ()
    block: list[HostKey] | None = None
    for line in console.splitlines():
        if BEGIN in line:
            block = []
        elif END in line:
            found, block = tuple(block or ()) or found, None
        elif block is not None:
            block += host_keys_in(line)
    return found


def host_keys_in(line: str) -> list[HostKey]:
    """Give the key in one line of text, if it is whole and of a type that SSH still takes."""
    match = _KEY.search(line)
    key = HostKey(type=match[1], text=match[2]) if match else None
    return [key] if key and _is_whole(key) else []


def _is_whole(key: HostKey) -> bool:
    try:
        blob = base64.b64decode(key.text, validate=True)
    except binascii.Error:
        return False
    fields = _fields(blob)
    return len(fields) == _FIELDS[key.type] and fields[0] == key.type.encode() and all(fields)


def _fields(blob: bytes) -> list[bytes]:
    """Split length-prefixed fields; none at all when they do not add up."""
    fields = []
    while blob:
        length = int.from_bytes(blob[:4])
        if len(blob) < 4 + length:
            return []
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    return fields
