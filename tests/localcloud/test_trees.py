"""Removing what a local cloud leaves behind."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.localcloud import trees
from tests.localcloud.daemons import eventually

ORDINARY = os.getuid() or 65534


def test_folders_without_permissions_are_removed(tmp_path: Path):
    """Folders of mode 000, as overlays leave them behind, are removed as well."""
    tree = tmp_path / "tree"
    (tree / "work" / "work").mkdir(parents=True)
    (tree / "work" / "work").chmod(0)
    trees.remove(tree)

    assert not tree.exists()


def test_links_are_removed_not_followed(tmp_path: Path):
    """Removing a tree leaves alone what its symbolic links point to."""
    kept = tmp_path / "kept"
    kept.mkdir()
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(kept)
    trees.remove(tree)

    assert kept.exists()


def test_a_file_is_removed_and_what_is_gone_is_no_mistake(tmp_path: Path):
    """A single file is removed too; once more does no harm."""
    file = tmp_path / "file"
    file.write_text("")
    trees.remove(file)
    trees.remove(file)

    assert not file.exists()


def test_what_cannot_be_removed_yet_is_tried_again():
    """A folder that nobody may take out of its parent is emptied, and removed as soon as it may be."""
    parent = Path(tempfile.mkdtemp())
    tree = parent / "tree"
    tree.mkdir()
    (tree / "file").touch()
    for path in (parent, tree):
        os.chown(path, ORDINARY, ORDINARY)
    parent.chmod(0o555)
    removing = begin_as_ordinary_user(lambda: trees.remove(tree, patience=60))
    eventually(lambda: not any(tree.iterdir()))
    parent.chmod(0o755)

    assert os.waitstatus_to_exitcode(os.waitpid(removing, 0)[1]) == 0
    assert not tree.exists()
    parent.rmdir()


def begin_as_ordinary_user(act: Callable[[], None]) -> int:
    """Do something in a process without root's privileges; gives its id, and 0 as its status when it succeeds."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setresuid(ORDINARY, ORDINARY, ORDINARY)
            act()
            status = 0
        finally:
            os._exit(status)
    return child


def test_what_cannot_be_removed_is_told(tmp_path: Path):
    """What is in the way for longer than the patience is an error with its path."""
    with pytest.raises(OSError, match="/proc/self"):
        trees.remove(Path("/proc/self"), patience=0)
