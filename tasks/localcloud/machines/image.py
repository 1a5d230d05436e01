"""The image: what the disk of every server with namespaces begins as.

Its /etc is what the host has there for everybody to read, without what belongs to the host alone: accounts of people,
passwords, SSH keys, what starts at boot. Refuses to know about mounts, and about single servers.
"""

from __future__ import annotations

import os
import shutil
import stat
import sysconfig
from pathlib import Path

from tasks.localcloud.machines.disk import write_tools
from tasks.localcloud.machines.place import PYTHON, TOOLS, brings_python

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


def make_image(image: Path) -> None:
    """Make what every server with namespaces begins as: `disk`, which is copied, and `etc`, which lies under theirs."""
    _make_root(image / "disk")
    (image / "etc").mkdir()
    _copy_readable(Path("/etc"), image / "etc")
    _write_etc(image / "etc")
    _show_python(image)


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
    write_tools(root)


def adopt_library_cache(image: Path) -> None:
    """Put into the image what a server that ran on the image itself wrote as the loader's cache."""
    for etc in (image / "etc.changes", image / "disk/etc"):
        if (etc / "ld.so.cache").exists():
            shutil.copy(etc / "ld.so.cache", image / "etc/ld.so.cache")


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
