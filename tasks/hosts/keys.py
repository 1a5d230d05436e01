"""The deploy's own key pair, for those who name no key of theirs."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tasks.hosts.access import SshAccess
from tasks.hosts.login_key import public_line

_NAME = "id_ed25519"


@dataclass(frozen=True, kw_only=True)
class DeployKey:
    """A key pair: the file of its private part, and the line for the cloud's keypair or authorized_keys."""

    path: Path
    public_line: str


def deploy_key(folder: Path) -> DeployKey:
    """Give the deploy's own ed25519 key, kept in a folder (0600 in 0700); made when it is not there yet.

    :raises SettingsError: what is there is not a key.
    """
    path = folder / _NAME
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(path)
    public = public_line(SshAccess(key_file=path))
    return DeployKey(path=path, public_line=f"{public} disposable-servers")


def _write_once(path: Path) -> None:
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".key-") as draft:  # made with mode 0600
        draft.write(content)
        draft.flush()
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return  # another process was first: both use its key
