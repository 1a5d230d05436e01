"""The key that we log in with: from a file, encrypted or not, or from the SSH agent, which signs for us.

As OpenSSH does it: an encrypted key is taken from the agent when it is there, and a `.pub` file names one of the
agent's.
"""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import paramiko

from tasks.errors import SettingsError
from tasks.hosts.access import SshAccess

_KINDS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_PUBLIC = ".pub"
_MAGIC = b"openssh-key-v1\0"


def login_key(access: SshAccess) -> paramiko.PKey | None:
    """Give the key that the settings name; None when the SSH agent and `~/.ssh` are to be asked.

    :raises SettingsError: there is no such file, it holds no key, the agent lacks it, or the passphrase is wrong.
    """
    if access.private_key is not None:
        return _loaded(access.private_key.reveal(), access, "the SSH private key")
    if access.key_file is None:
        return None
    path = access.key_file.expanduser()
    text = _read(path)
    if path.suffix == _PUBLIC:
        return _held(path, text)
    return _loaded(text, access, f"the SSH key {path}")


def public_line(access: SshAccess) -> str:
    """Give the public half of the login key, as type and base64 text; empty when no key is named.

    Asks for no passphrase where the key's file shows its public half, as OpenSSH's own format does.

    :raises SettingsError: as `login_key`.
    """
    path = access.key_file.expanduser() if access.key_file and access.private_key is None else None
    text = _read(path) if path else ""
    if path and path.suffix == _PUBLIC:
        return " ".join(text.split()[:2])
    if blob := _public_blob(text):
        return f"{paramiko.Message(blob).get_text()} {base64.b64encode(blob).decode()}"
    key = login_key(access)
    return f"{key.get_name()} {key.get_base64()}" if key else ""


def _held(path: Path, text: str) -> paramiko.PKey:
    try:
        held = _in_agent(base64.b64decode(text.split()[1], validate=True))
    except (IndexError, binascii.Error):
        raise SettingsError(f"{path} holds no public SSH key") from None
    if held is None:
        raise SettingsError(
            f"the SSH agent does not hold the key of {path}",
            advice="Add it with ssh-add, or name the private key's file.",
        )
    return held


def _in_agent(blob: bytes) -> paramiko.PKey | None:
    # An agent connection of its own for each: paramiko's is not safe to be shared by threads.
    return next((key for key in paramiko.Agent().get_keys() if key.asbytes() == blob), None)


def _loaded(text: str, access: SshAccess, name: str) -> paramiko.PKey:
    try:
        return _parsed(text, None, name)
    except paramiko.PasswordRequiredException:
        blob = _public_blob(text)
        held = _in_agent(blob) if blob else None
        if held:
            return held
    if access.passphrase is None:
        raise SettingsError(f"{name} is encrypted", advice="Give its passphrase, or use the SSH agent.")
    return _parsed(text, access.passphrase.reveal(), name)


def _parsed(text: str, passphrase: str | None, name: str) -> paramiko.PKey:
    for kind in _KINDS:
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except paramiko.PasswordRequiredException:
            raise
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise SettingsError(f"{name} cannot be used: it is no ed25519, ECDSA or RSA key, or the passphrase is wrong")


def _public_blob(text: str) -> bytes | None:
    """Give the public key that stands unencrypted in OpenSSH's own format (its PROTOCOL.key); None in other formats."""
    try:
        content = base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-----")))
    except binascii.Error:
        return None
    if not content.startswith(_MAGIC):
        return None
    fields = paramiko.Message(content.removeprefix(_MAGIC))
    for _ in ("cipher", "key derivation", "its options"):
        fields.get_binary()
    return fields.get_binary() if fields.get_int() == 1 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the SSH key {path} cannot be read: {error}") from None
