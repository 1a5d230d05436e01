"""A server's disk: the image that it begins as, and its removal.

The image is what the host has in /etc for everybody to read, without what belongs to the host alone: accounts of
people, passwords, SSH keys, what starts at boot. Refuses to know about mounts.
"""

from __future__ import annotations

import os
import shutil
import stat
import sysconfig
from pathlib import Path

from tasks.localcloud.machines.place import PYTHON, TOOLS, brings_python
from tasks.localcloud.machines.spec import Boot, Isolation

_FOLDERS = ("etc", "var", "srv", "root", "home", "opt", "mnt", "media", "usr", "proc", "dev", "run", "tmp")
_VAR = ("cache", "lib", "local", "log", "mail", "opt", "spool", "tmp")
_HOST_ONLY = frozenset(
    {
        "cron.d",
        "cron.hourly",
        "cron.daily",
        "cron.weekly",
        "cron.monthly",
        "crontab",
        "rc.local",
        "hostname",
        "hosts",
        "machine-id",
        "fstab",
        "mtab",
        "passwd",
        "passwd-",
        "group",
        "group-",
        "shadow",
        "shadow-",
        "gshadow",
        "gshadow-",
        "subuid",
        "subgid",
        "sudoers",
        "sudoers.d",
        "ssh",
        "systemd",
        "sysctl.conf",
        "sysctl.d",
        "modules",
        "modules-load.d",
        "NetworkManager",
        "netplan",
        "wireguard",
        "apparmor.d",
    }
)
_PEOPLE = range(1000, 60000)
_SHUTDOWN = """#!/bin/sh
# Ends this server the way its init understands: SIGINT restarts it, SIGUSR2 powers it off.
case "$(basename "$0") $*" in
  shutdown*-c*) exit 0 ;;
  reboot*|shutdown*-r*|*--reboot*) signal=INT ;;
  *) signal=USR2 ;;
esac
exec kill -s "$signal" "$(cat "${SERVER_ROOT:-}/run/init.pid")"
"""


def make_image(image: Path) -> None:
    """Make what every server with namespaces begins as: `disk`, which is copied, and `etc`, which lies under theirs."""
    # What a server's users may read does not depend on the umask of whoever runs the cloud, whose folder is private.
    before = os.umask(0o022)
    try:
        _make_root(image / "disk")
        (image / "etc").mkdir()
        _copy_readable(Path("/etc"), image / "etc")
        _write_etc(image / "etc")
        _show_python(image)
    finally:
        os.umask(before)


def _make_root(root: Path) -> None:
    root.mkdir(mode=0o755)
    for name in _FOLDERS:
        (root / name).mkdir()
    for name in _VAR:
        (root / "var" / name).mkdir()
    (root / "var/tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    (root / "var/run").symlink_to("/run")
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        _mirror_folder_of_programs(Path("/") / name, root / name)
    _write_tools(root)


def make_disk(boot: Boot) -> None:
    """Give a server its disk at its first boot; later boots find it and keep it."""
    if boot.disk.exists():
        return
    unfinished = boot.folder / "disk.unfinished"
    if boot.isolation is Isolation.NAMESPACES:
        shutil.copytree(boot.image / "disk", unfinished, symlinks=True)
    else:
        _make_folders(unfinished)
        (unfinished / "srv/shared").symlink_to(boot.spec.shared)
    unfinished.rename(boot.disk)


def copy_etc(boot: Boot) -> None:
    """Give a server a whole /etc of its own, where it cannot lie on the image's."""
    if not (boot.disk / "etc/passwd").exists():
        shutil.copytree(boot.image / "etc", boot.disk / "etc", symlinks=True, dirs_exist_ok=True)


def adopt_library_cache(image: Path) -> None:
    """Put into the image what a server that ran on the image itself wrote as the loader's cache."""
    for etc in (image / "etc.changes", image / "disk/etc"):
        if (etc / "ld.so.cache").exists():
            shutil.copy(etc / "ld.so.cache", image / "etc/ld.so.cache")


def remove(folder: Path) -> None:
    """Remove a tree, also where programs took away their own permission to write."""
    shutil.rmtree(folder, onerror=_allow_and_retry)


def _make_folders(root: Path) -> None:
    root.mkdir(mode=0o755)
    for name in ("etc", "var/log", "srv", "root", "home", "opt", "run", "tmp"):
        (root / name).mkdir(parents=True)
    _write_tools(root)


def _mirror_folder_of_programs(on_host: Path, in_image: Path) -> None:
    if on_host.is_symlink():
        in_image.symlink_to(on_host.readlink())
    elif on_host.is_dir():
        in_image.mkdir()


def _copy_readable(source: Path, target: Path) -> None:
    for entry in os.scandir(source):
        copy = target / entry.name
        if (source == Path("/etc") and entry.name in _HOST_ONLY) or not _for_everybody(entry):
            continue
        if entry.is_dir(follow_symlinks=False):
            copy.mkdir()
            _copy_readable(Path(entry.path), copy)
        elif entry.is_symlink() and not _leads_out(Path(entry.path)):
            copy.symlink_to(Path(entry.path).readlink())
        elif entry.is_file():
            shutil.copy(entry.path, copy)


def _for_everybody(entry: os.DirEntry[str]) -> bool:
    try:
        mode = entry.stat().st_mode
    except OSError:
        return False
    return bool(mode & stat.S_IROTH)


def _leads_out(link: Path) -> bool:
    """Whether a link ends outside what servers have of the host (resolv.conf often leads to /run)."""
    return not link.resolve().is_relative_to("/etc") and not link.resolve().is_relative_to("/usr")


def _write_etc(etc: Path) -> None:
    accounts = [line for line in Path("/etc/passwd").read_text().splitlines() if _is_of_the_system(line)]
    groups = [line for line in Path("/etc/group").read_text().splitlines() if _is_of_the_system(line)]
    (etc / "passwd").write_text("\n".join(accounts) + "\n")
    (etc / "group").write_text("\n".join(_without_members(line) for line in groups) + "\n")
    (etc / "shadow").write_text("".join(f"{line.split(':')[0]}:*:19000:0:99999:7:::\n" for line in accounts))
    (etc / "gshadow").write_text("".join(f"{line.split(':')[0]}:*::\n" for line in groups))
    for name in ("shadow", "gshadow"):
        (etc / name).chmod(0o600)
    for name in ("subuid", "subgid", "fstab"):
        (etc / name).touch()
    for name in ("cron.d", "ssh", "profile.d"):
        (etc / name).mkdir(exist_ok=True)
    python = f"{PYTHON}/bin:" if brings_python() else ""
    (etc / "profile.d/00-localcloud.sh").write_text(f"PATH={TOOLS}/bin:{python}$PATH\n")


def _is_of_the_system(line: str) -> bool:
    fields = line.split(":")
    return len(fields) > 2 and fields[2].isdigit() and int(fields[2]) not in _PEOPLE


def _without_members(line: str) -> str:
    return ":".join(line.split(":")[:3]) + ":"


def _write_tools(root: Path) -> None:
    programs = root / TOOLS.lstrip("/") / "bin"
    programs.mkdir(parents=True)
    for name in ("shutdown", "reboot", "poweroff", "halt"):
        (programs / name).write_text(_SHUTDOWN)
        (programs / name).chmod(0o755)


def _show_python(image: Path) -> None:
    if not brings_python():
        return
    (image / "disk" / PYTHON.lstrip("/")).mkdir()
    library = sysconfig.get_config_var("INSTSONAME")
    if sysconfig.get_config_var("Py_ENABLE_SHARED") and library:
        # Such a Python finds its library by the absolute path it was built for, which servers do not have.
        libraries = image / "disk" / TOOLS.lstrip("/") / "lib"
        libraries.mkdir()
        (libraries / library).symlink_to(f"{PYTHON}/lib/{library}")
        (image / "etc/ld.so.conf.d").mkdir(exist_ok=True)
        (image / "etc/ld.so.conf.d/00-localcloud.conf").write_text(f"{TOOLS}/lib\n")


def _allow_and_retry(remove_entry: object, path: str, error: object) -> None:
    del error
    for folder in (Path(path).parent, Path(path)):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)
    if remove_entry is os.unlink:
        Path(path).unlink(missing_ok=True)
    elif Path(path).exists():
        shutil.rmtree(path)
