"""A server's disk: how it comes to be at the first boot, from image or snapshot. Refuses to know about mounts."""

from __future__ import annotations

import shutil
from pathlib import Path

from tasks.localcloud.machines import snapshots
from tasks.localcloud.machines.place import TOOLS
from tasks.localcloud.machines.spec import Boot, Isolation

_SHUTDOWN = """#!/bin/sh
# Ends this server the way its init understands: SIGINT restarts it, SIGUSR2 powers it off.
case "$(basename "$0") $*" in
  shutdown*-c*) exit 0 ;;
  reboot*|shutdown*-r*|*--reboot*) signal=INT ;;
  *) signal=USR2 ;;
esac
exec kill -s "$signal" "$(cat "${SERVER_ROOT:-}/run/init.pid")"
"""
_SERVICE = """#!/bin/sh
# service ssh stop|start|restart|reload: the SSH server is part of this server's init. Returns when it is done.
set -eu
run=${SERVER_ROOT:-}/run
case "${1:-} ${2:-}" in
  "ssh stop"|"sshd stop") touch "$run/sshd.stopped" ;;
  "ssh start"|"sshd start"|"ssh restart"|"sshd restart") rm -f "$run/sshd.stopped" ;;
  "ssh reload"|"sshd reload") ;;
  *) echo "service: only ssh is known here, and stop, start, restart, reload" >&2; exit 1 ;;
esac
mkfifo -m 600 "$run/sshd.answer"
trap 'rm -f "$run/sshd.answer"' EXIT
exec 3<>"$run/sshd.answer"
kill -s HUP "$(cat "$run/init.pid")"
read -r _ <&3
"""


def make_disk(boot: Boot) -> None:
    """Give a server its disk at its first boot; later boots find it and keep it."""
    if boot.disk.exists():
        return
    unfinished = boot.folder / "disk.unfinished"
    if boot.snapshot:
        snapshots.lay(boot.snapshot, boot, unfinished)
    elif boot.isolation is Isolation.NAMESPACES:
        shutil.copytree(boot.image / "disk", unfinished, symlinks=True)
    else:
        _make_folders(unfinished)
        (unfinished / "srv/shared").symlink_to(boot.spec.shared)
    unfinished.rename(boot.disk)


def copy_etc(boot: Boot) -> None:
    """Give a server a whole /etc of its own, where it cannot lie on the image's."""
    if not (boot.disk / "etc/passwd").exists():
        shutil.copytree(boot.image / "etc", boot.disk / "etc", symlinks=True, dirs_exist_ok=True)


def _make_folders(root: Path) -> None:
    root.mkdir(mode=0o755)
    for name in ("etc", "var/log", "srv", "root", "home", "opt", "run", "tmp"):
        (root / name).mkdir(parents=True)
    write_tools(root)


def write_tools(root: Path) -> None:
    """Put the commands into a server's root that restart it, power it off, and reload or stop its SSH server."""
    programs = root / TOOLS.lstrip("/") / "bin"
    programs.mkdir(parents=True)
    tools = {"service": _SERVICE} | dict.fromkeys(("shutdown", "reboot", "poweroff", "halt"), _SHUTDOWN)
    for name, text in tools.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
