"""Snapshots: a server's disk, copied to a folder that other servers' disks begin as.

Owns what belongs to such a copy. Refuses to know when a disk holds still, and what a server does with an old disk.
"""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from tasks.localcloud import trees
from tasks.localcloud.machines.spec import Boot

_PARTS = ("disk", "etc.changes")
# Owners, links, attributes and the overlay's marks for deleted files all belong to a disk; cp knows how to keep them.
_COPY = ("cp", "--archive", "--reflink=auto", "--no-target-directory")


class SnapshotFailed(Exception):
    """A disk could not be copied; the text is the reason."""


async def take(boot: Boot, folder: Path) -> None:
    """Copy the disk of a server to `folder`, which is there when all of it is.

    :raises SnapshotFailed: it could not be copied; nothing is left of it.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    try:
        unfinished.mkdir(parents=True)
        for part in _PARTS:
            if (boot.folder / part).exists():
                await _copy(boot.folder / part, unfinished / part)
        unfinished.rename(folder)
    finally:
        if unfinished.exists():
            await asyncio.to_thread(trees.remove, unfinished)


def lay(folder: Path, boot: Boot, unfinished: Path) -> None:
    """Make the unfinished disk of a new server, and its changes of /etc, from a snapshot.

    :raises OSError: the snapshot is gone, or there is no room.
    """
    targets = {"disk": unfinished, "etc.changes": boot.folder / "etc.changes"}
    for part, target in targets.items():
        if (folder / part).exists() or part == "disk":
            done = subprocess.run([*_COPY, folder / part, target], capture_output=True, text=True, check=False)
            if done.returncode:
                raise OSError(f"its disk could not be made from the snapshot: {done.stderr.strip()}")
    for memory in ("run", "tmp"):
        trees.remove(unfinished / memory)
        (unfinished / memory).mkdir()


async def _copy(source: Path, target: Path) -> None:
    command = [*_COPY, str(source), str(target)]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    try:
        _, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SnapshotFailed(f"the disk could not be copied: {errors.decode(errors='replace').strip()[-500:]}")
