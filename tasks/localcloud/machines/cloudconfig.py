"""Cloud-init's user data: which parts of it a local server honours, as values. Source: cloud-init's module docs.

Honoured: `#!` scripts and, of `#cloud-config`, write_files, runcmd, ssh_keys and ssh_authorized_keys.
"""

from __future__ import annotations

import base64
import gzip
import shlex
from dataclasses import dataclass
from typing import Any

import yaml

_HONOURED = frozenset({"write_files", "runcmd", "ssh_keys", "ssh_authorized_keys"})


class UserDataError(ValueError):
    """User data that cannot be read; the text says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class WrittenFile:
    """An entry of write_files."""

    path: str
    contents: bytes
    mode: int
    owner: str
    append: bool


@dataclass(frozen=True, kw_only=True)
class UserData:
    """What user data asks for. `script` runs once; `host_keys` maps names such as `ed25519_private` to keys."""

    script: bytes | None = None
    files: tuple[WrittenFile, ...] = ()
    host_keys: dict[str, str] | None = None
    authorized_keys: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def parse(data: bytes | None) -> UserData:
    """Read user data; gzip is undone.

    :raises UserDataError: when a `#cloud-config` is not the mapping it has to be.
    """
    text = gzip.decompress(data) if data and data.startswith(b"\x1f\x8b") else data or b""
    if not text.strip():
        return UserData()
    if text.startswith(b"#!"):
        return UserData(script=text)
    if text.startswith(b"#cloud-config"):
        return _cloud_config(text)
    return UserData(ignored=(f"user data that begins with {text[:20]!r}",))


def _cloud_config(text: bytes) -> UserData:
    try:
        config = yaml.safe_load(text) or {}
        return UserData(
            script=_script(config.get("runcmd")),
            files=tuple(_file(entry) for entry in config.get("write_files") or ()),
            host_keys=config.get("ssh_keys"),
            authorized_keys=tuple(config.get("ssh_authorized_keys") or ()),
            ignored=tuple(sorted(config.keys() - _HONOURED)),
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserDataError(f"#cloud-config: {error}") from error


def _script(commands: list[Any] | None) -> bytes | None:
    if not commands:
        return None
    lines = [command if isinstance(command, str) else shlex.join(map(str, command)) for command in commands]
    return ("#!/bin/sh\n" + "\n".join(lines) + "\n").encode()


def _file(entry: dict[str, Any]) -> WrittenFile:
    contents = str(entry.get("content", "")).encode()
    encodings = {part for part in str(entry.get("encoding", "")).replace("gzip", "gz").split("+") if part}
    if encodings & {"b64", "base64"}:
        contents = base64.b64decode(contents)
    if "gz" in encodings:
        contents = gzip.decompress(contents)
    return WrittenFile(
        path=entry["path"],
        contents=contents,
        mode=int(str(entry.get("permissions", "0644")), 8),
        owner=entry.get("owner", "root:root"),
        append=bool(entry.get("append", False)),
    )
