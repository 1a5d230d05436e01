"""The private keys that we log in with: the deploy's own key pair, or the one that the settings name."""

from __future__ import annotations

import io
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tasks.errors import SettingsError
from tasks.hosts.access import SshAccess

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
    key = _from_file(path, None)
    return DeployKey(path=path, public_line=f"{key.get_name()} {key.get_base64()} disposable-servers")


def login_key(access: SshAccess) -> paramiko.PKey | None:
    """Give the key that the settings name; None when the SSH agent and `~/.ssh` are to be asked.

    :raises SettingsError: there is no such file, it holds no key, or the passphrase does not open it.
    """
    passphrase = access.passphrase.reveal() if access.passphrase else None
    if access.private_key is not None:
        return _from_text(access.private_key.reveal(), passphrase)
    return _from_file(access.key_file.expanduser(), passphrase) if access.key_file else None


def _write_once(path: Path) -> None:
    content = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".key-") as draft:  # made with mode 0600
        draft.write(content)
        draft.flush()
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return  # another process was first: both use its key


def _from_file(path: Path, passphrase: str | None) -> paramiko.PKey:
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the SSH key {path} cannot be read: {error}") from None
    return _from_text(text, passphrase, name=f"the SSH key {path}")


def _from_text(text: str, passphrase: str | None, name: str = "the SSH private key") -> paramiko.PKey:
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except paramiko.PasswordRequiredException:
            raise SettingsError(f"{name} is encrypted", advice="Give its passphrase, or use the SSH agent.") from None
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise SettingsError(f"{name} cannot be used: it is no ed25519, ECDSA or RSA key, or the passphrase is wrong")
