"""A life without namespaces: plain processes that have a folder of their own and may write nowhere else.

Where the kernel has Landlock it refuses all other writes. Root without Landlock could set up the host by mistake, so
nothing boots there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tasks.localcloud.machines import firstboot, landlock, syscalls
from tasks.localcloud.machines.disk import make_disk
from tasks.localcloud.machines.place import Place, folder_place
from tasks.localcloud.machines.spec import Boot, BootFailed, Ending

_HARMLESS_DEVICES = [
    Path("/dev") / name for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm")
]


def live(boot: Boot, init: Callable[[Place], Ending]) -> int:
    """Run `init` in this process, confined to the server's folder, and give its exit status.

    :raises BootFailed: when the server would need what plain processes cannot have, or could harm the host.
    """
    refuse_harm()
    firstboot.refuse_what_needs_a_private_etc(boot.spec)
    make_disk(boot)
    os.setsid()
    syscalls.adopt_orphans()
    if os.getuid() == 0:
        syscalls.drop_capabilities(frozenset({syscalls.CAP_NET_BIND_SERVICE}))
    if landlock.version():
        landlock.confine_writes([boot.disk, boot.spec.shared, *filter(Path.exists, _HARMLESS_DEVICES)])
    return init(folder_place(boot.disk))


def refuse_harm() -> None:
    """Guard a host on which servers would run as its root with nothing to hold them.

    :raises BootFailed: there.
    """
    if os.getuid() == 0 and not landlock.version():
        raise BootFailed(
            "this machine allows neither namespaces nor Landlock, and as root a server's scripts could change the "
            "machine itself. Run the local cloud as an ordinary user."
        )
