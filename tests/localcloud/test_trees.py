"""Removing what a local cloud leaves behind."""

import threading
from pathlib import Path

import pytest

from tasks.localcloud import trees


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


def test_a_folder_that_is_still_written_to_is_removed(tmp_path: Path):
    """A process that fills a folder while it ends delays the removal and does not make it fail."""
    tree = tmp_path / "tree"
    tree.mkdir()
    writer = threading.Thread(target=lambda: [_write(tree / str(number)) for number in range(2000)])
    writer.start()
    trees.remove(tree)
    writer.join()

    assert not tree.exists()


def _write(path: Path) -> None:
    try:
        path.write_text("")
    except FileNotFoundError:
        return


def test_what_cannot_be_removed_is_told(tmp_path: Path):
    """What is in the way for longer than the patience is an error with its path."""
    with pytest.raises(OSError, match="/proc/self"):
        trees.remove(Path("/proc/self"), patience=0)
