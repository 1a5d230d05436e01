"""A life in namespaces: the server has its own mounts, processes, host name and, without root, users.

Owns the mount plan and the process that waits outside for the server's init. Refuses to know what the init does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tasks.localcloud.machines import syscalls
from tasks.localcloud.machines.disk import copy_etc, make_disk
from tasks.localcloud.machines.place import PYTHON, TOOLS, Place, brings_python, private_place
from tasks.localcloud.machines.spec import Boot, Ending

_ENDINGS = (signal.SIGINT, signal.SIGUSR2)
_PASSED_ON = frozenset({*_ENDINGS, signal.SIGTERM})
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_KERNEL_SWITCHES = ("sys", "sysrq-trigger", "irq", "bus", "fs")
# The network, the clock and the kernel are the host's: what would change them is given up, as containers do.
_KEPT = frozenset(
    {
        syscalls.CAP_CHOWN,
        syscalls.CAP_DAC_OVERRIDE,
        syscalls.CAP_FOWNER,
        syscalls.CAP_FSETID,
        syscalls.CAP_KILL,
        syscalls.CAP_SETGID,
        syscalls.CAP_SETUID,
        syscalls.CAP_SETPCAP,
        syscalls.CAP_NET_BIND_SERVICE,
        syscalls.CAP_NET_RAW,
        syscalls.CAP_SYS_CHROOT,
        syscalls.CAP_AUDIT_WRITE,
        syscalls.CAP_SETFCAP,
    }
)


def live(boot: Boot, init: Callable[[Place], Ending]) -> int:
    """Run `init` as process 1 of a new server and give its exit status.

    The caller is a process of its own for this. It passes SIGINT and SIGUSR2 on to the init; SIGTERM ends the server
    at once.

    :raises OSError: when the kernel refuses the namespaces; in the init's process too, whose caller has to end it.
    """
    syscalls.die_with_parent()
    make_disk(boot)
    leave_the_hosts_namespaces()
    # A mapping changes this process's credentials, which makes the kernel forget the request above.
    syscalls.die_with_parent()
    # A signal that came before it is known whom to pass it to would leave the init without its keeper.
    signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
        os._exit(_be_process_one(boot, init))
    return _wait_for(child)


def refresh_library_cache() -> None:
    """Have the loader find the libraries of the image; run in a server."""
    if Path(f"{TOOLS}/lib").is_dir():
        subprocess.run(["/sbin/ldconfig"], check=True, capture_output=True)


def leave_the_hosts_namespaces() -> None:
    """Put this process into mount, PID and UTS namespaces of its own, inside a user namespace where it has to be.

    :raises OSError: the kernel refuses them.
    """
    flags = syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWUTS
    user, group = os.getuid(), os.getgid()
    if user == 0:
        # Root in a container may lack what this takes, and still be allowed a user namespace.
        with contextlib.suppress(PermissionError):
            syscalls.unshare(flags)
            return
    syscalls.unshare(flags | syscalls.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def _be_process_one(boot: Boot, init: Callable[[Place], Ending]) -> int:
    syscalls.die_with_parent()
    _mount(boot)
    socket.sethostname(boot.spec.hostname)
    syscalls.limit_capabilities(_KEPT)
    return init(private_place())


def _wait_for(init: int) -> int:
    def pass_on(number: int, _frame: object) -> None:
        os.kill(init, number)

    def pull_the_plug(_number: int, _frame: object) -> None:
        os.kill(init, signal.SIGKILL)

    for number in _ENDINGS:
        signal.signal(number, pass_on)
    signal.signal(signal.SIGTERM, pull_the_plug)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _PASSED_ON)
    _, status = os.waitpid(init, 0)
    return os.waitstatus_to_exitcode(status)


def _mount(boot: Boot) -> None:
    root = boot.disk
    syscalls.mount("none", Path("/"), flags=syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.bind(root, root)
    for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if (root / name).is_dir() and not (root / name).is_symlink():
            _show_read_only(Path("/") / name, root / name)
    if brings_python():
        _show_read_only(Path(sys.base_prefix), root / PYTHON.lstrip("/"))
    # Relative paths need no escapes for what the syntax of overlay's options forbids.
    os.chdir(boot.folder)
    _mount_etc(boot)
    _put_shutdown_commands_first(root)
    _mount_kernel_files(root)
    _mount_devices(root / "dev")
    _mount_memory(root / "run", "mode=0755")
    _mount_memory(root / "tmp", "mode=1777")
    (root / "srv/shared").mkdir(exist_ok=True)
    syscalls.bind(boot.spec.shared, root / "srv/shared")
    syscalls.pivot_into(root)


def _show_read_only(source: Path, target: Path) -> None:
    syscalls.bind(source, target)
    syscalls.make_read_only(target)


def _mount_etc(boot: Boot) -> None:
    """Lay the server's own changes over the image's /etc; where the file system cannot do that, copy it."""
    for name in ("etc.changes", "etc.work"):
        (boot.folder / name).mkdir(exist_ok=True)
    below = os.path.relpath(boot.image / "etc", boot.folder)
    layers = f"lowerdir={below},upperdir=etc.changes,workdir=etc.work,userxattr"
    try:
        syscalls.mount("overlay", boot.disk / "etc", kind="overlay", options=layers)
    except OSError:
        copy_etc(boot)


def _put_shutdown_commands_first(root: Path) -> None:
    """Make /sbin/reboot mean this server's reboot; where that cannot be, it still does by its bare name."""
    ours, hosts = root / TOOLS.lstrip("/") / "bin", (root / "usr/sbin").resolve()
    layers = f"lowerdir={os.path.relpath(ours)}:{os.path.relpath(hosts)},userxattr"
    with contextlib.suppress(OSError):
        syscalls.mount("overlay", hosts, kind="overlay", flags=syscalls.MS_RDONLY, options=layers)


def _mount_kernel_files(root: Path) -> None:
    hardened = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("proc", root / "proc", kind="proc", flags=hardened)
    for name in _KERNEL_SWITCHES:
        switch = root / "proc" / name
        if switch.exists():
            _show_read_only(switch, switch)


def _mount_devices(devices: Path) -> None:
    syscalls.mount("dev", devices, kind="tmpfs", flags=syscalls.MS_NOSUID, options="mode=0755")
    for name in _DEVICES:
        (devices / name).touch()
        syscalls.bind(Path("/dev") / name, devices / name)
    (devices / "pts").mkdir()
    syscalls.mount("devpts", devices / "pts", kind="devpts", options="newinstance,ptmxmode=0666,mode=0620")
    os.mkfifo(devices / "console", 0o600)
    (devices / "ptmx").symlink_to("pts/ptmx")
    (devices / "shm").mkdir()
    (devices / "shm").chmod(0o1777)
    (devices / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (devices / name).symlink_to(f"/proc/self/fd/{number}")


def _mount_memory(target: Path, options: str) -> None:
    syscalls.mount("tmpfs", target, kind="tmpfs", flags=syscalls.MS_NOSUID | syscalls.MS_NODEV, options=options)
