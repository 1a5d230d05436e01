"""What happens to a server's files at its first boot: injected files, keys, user data.

Each part is done once in a server's life and leaves a semaphore, as cloud-init does, so that a reboot in the middle
does not do it again.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import asyncssh

from tasks.localcloud.machines import cloudconfig, console
from tasks.localcloud.machines.cloudconfig import UserData, WrittenFile
from tasks.localcloud.machines.place import Place
from tasks.localcloud.machines.spec import BootFailed, InjectedFile, MachineSpec

_INSTANCE = "/var/lib/cloud/instance"
_INJECTED = 0o444
_KEY_TYPES = {"ecdsa": "ecdsa-sha2-nistp256", "ed25519": "ssh-ed25519", "rsa": "ssh-rsa"}
# Making an RSA key takes longer than all the rest of a boot.
_MADE_KEYS = ("ecdsa", "ed25519")


def is_first(place: Place, act: str) -> bool:
    """Whether `act` was not begun yet in this server's life; from now on it was."""
    semaphore = place.at(f"{_INSTANCE}/sem/config_{act}")
    semaphore.parent.mkdir(parents=True, exist_ok=True)
    try:
        semaphore.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def forget_other_server(spec: MachineSpec, place: Place) -> None:
    """Make the disk of another server this one's, as cloud-init does when the instance's id is a new one.

    What is done once in a server's life is done again, and the other one's SSH host keys go.
    """
    owner = place.at("/var/lib/cloud/data/instance-id")
    if owner.exists() and owner.read_text() != f"{spec.id}\n":
        shutil.rmtree(place.at(_INSTANCE))
        for key in place.at("/etc/ssh").glob("ssh_host_*"):
            key.unlink()
    owner.parent.mkdir(parents=True, exist_ok=True)
    owner.write_text(f"{spec.id}\n")


def finish_boot(place: Place) -> None:
    """Leave the file that scripts wait for to know that cloud-init is done."""
    place.at(f"{_INSTANCE}/boot-finished").touch()


def refuse_what_needs_a_private_etc(spec: MachineSpec) -> None:
    """Guard the host: without a root file system of its own a server takes no user data and no files for /etc.

    :raises BootFailed: naming what was refused.
    """
    outside = [file.path for file in spec.personality if _is_outside(file.path)]
    wanted = [f"the injected file {path}" for path in outside]
    if spec.user_data:
        wanted.append("user data")
    if wanted:
        raise BootFailed(
            f"refused {', '.join(wanted)}: servers are plain processes here and have no /etc of their own, so it would "
            "set up this machine. Use the push way of set-up, or a machine that allows user namespaces."
        )


def _is_outside(path: str) -> bool:
    parts = Path(path).parts
    return parts[:1] != ("/",) or ".." in parts or parts[1:2] == ("etc",)


def write_identity(spec: MachineSpec, place: Place) -> None:
    """Write what tells a server who it is, at every boot: metadata, and at the first one its names."""
    metadata = place.at("/run/metadata.json")
    metadata.write_text(json.dumps({"uuid": spec.id, "name": spec.hostname, "meta": dict(spec.metadata)}, indent=2))
    metadata.chmod(0o644)
    if is_first(place, "hostname"):
        place.at("/etc/machine-id").write_text(spec.id.replace("-", "") + "\n")
        place.at("/etc/hostname").write_text(spec.hostname + "\n")
        place.at("/etc/hosts").write_text(f"127.0.0.1 localhost\n{spec.private_ip} {spec.hostname}\n")


def inject(spec: MachineSpec, place: Place) -> None:
    """Write the personality files and the authorized keys."""
    if not is_first(place, "personality"):
        return
    for file in spec.personality:
        _inject_file(file, place)
    _authorize(spec.authorized_keys, place)


def _inject_file(file: InjectedFile, place: Place) -> None:
    target = place.at(file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.contents)
    # Nova leaves the mode to whatever writes the files in the guest; with none of these can they be executed.
    target.chmod(_INJECTED)
    console.say(f"injected {file.path} ({len(file.contents)} bytes)")


def apply_user_data(spec: MachineSpec, place: Place) -> UserData:
    """Write the files and keys that user data asks for, and give all that it asks for.

    User data that cannot be read is reported on the console and the server boots without it, as with cloud-init.
    """
    try:
        wanted = cloudconfig.parse(spec.user_data)
    except cloudconfig.UserDataError as error:
        console.say(f"cloud-init: failed at loading {error}")
        return UserData()
    if is_first(place, "write_files"):
        for name in wanted.ignored:
            console.say(f"cloud-init: ignored {name}: not known to the local cloud")
        for file in wanted.files:
            _write_file(file, place)
        _authorize(wanted.authorized_keys, place)
    return wanted


def _write_file(file: WrittenFile, place: Place) -> None:
    target = place.at(file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("ab" if file.append else "wb") as stream:
        stream.write(file.contents)
    target.chmod(file.mode)
    user, _, group = file.owner.partition(":")
    try:
        shutil.chown(target, user or "root", group or user or "root")
    except (LookupError, OSError) as error:
        console.say(f"cloud-init: {file.path} keeps its owner: {error}")


def _authorize(keys: tuple[str, ...], place: Place) -> None:
    folder = place.home / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "authorized_keys").open("a") as stream:
        stream.writelines(key.strip() + "\n" for key in keys)
    (folder / "authorized_keys").chmod(0o600)


def host_keys(spec: MachineSpec, place: Place, given: dict[str, str] | None) -> list[asyncssh.SSHKey]:
    """Give the server's SSH host keys: those it has, else those of user data's ssh_keys, else new ones."""
    folder = place.at("/etc/ssh")
    folder.mkdir(parents=True, exist_ok=True)
    if not _key_files(folder):
        for kind in _KEY_TYPES:
            if private := (given or {}).get(f"{kind}_private"):
                _store_key(folder, kind, asyncssh.import_private_key(private))
    if not _key_files(folder):
        for kind in _MADE_KEYS:
            comment = f"root@{spec.hostname}"
            _store_key(folder, kind, asyncssh.generate_private_key(_KEY_TYPES[kind], comment=comment))
    return stored_keys(place)


def stored_keys(place: Place) -> list[asyncssh.SSHKey]:
    """Give the SSH host keys that the server has now.

    :raises OSError: and asyncssh.KeyImportError, when one cannot be read.
    """
    return [asyncssh.read_private_key(file) for file in _key_files(place.at("/etc/ssh"))]


def _key_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("ssh_host_*_key"))


def _store_key(folder: Path, kind: str, key: asyncssh.SSHKey) -> None:
    file = folder / f"ssh_host_{kind}_key"
    file.touch(mode=0o600)
    file.write_bytes(key.export_private_key())
    file.with_name(file.name + ".pub").write_bytes(key.export_public_key())
