"""An app in a folder, in git or not, and what a built artifact holds."""

import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.release.model import Source


def git(folder: Path, *arguments: str) -> str:
    """Run git as somebody, whoever runs the tests."""
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    command = ("git", "-C", str(folder), *identity, *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def names_in(artifact: Path) -> list[str]:
    """List the members of an artifact."""
    with tarfile.open(artifact) as archive:
        return archive.getnames()


def content_of(artifact: Path, name: str) -> str:
    """Read a member of an artifact."""
    with tarfile.open(artifact) as archive:
        file = archive.extractfile(name)
        assert file is not None
        return file.read().decode()


def about(artifact: Path) -> dict[str, object]:
    """Read what an artifact says about itself."""
    return json.loads(content_of(artifact, "release.json"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Give a cache that is not there yet."""
    return tmp_path / "cache"


@pytest.fixture
def make_app(tmp_path: Path) -> Callable[..., Source]:
    """Lay out an app without requirements of its own in a new folder."""

    def make(name: str = "shop", **files: str) -> Source:
        folder = tmp_path / name
        (folder / "pages").mkdir(parents=True)
        (folder / "main.py").write_text("print('hello')\n")
        (folder / "pages" / "index.html").write_text("<h1>Shop</h1>\n")
        for file, text in files.items():
            (folder / file).write_text(text)
        return Source(app="shop", path=folder, requirements=None)

    return make


@pytest.fixture
def committed(make_app: Callable[..., Source]) -> Source:
    """Put an app in git, with one commit that is tagged v1."""
    source = make_app(**{".gitignore": ".env\n*.log\n"})
    git(source.path, "init", "--quiet")
    git(source.path, "add", ".")
    git(source.path, "commit", "--quiet", "-m", "The shop")
    git(source.path, "tag", "v1")
    return source
