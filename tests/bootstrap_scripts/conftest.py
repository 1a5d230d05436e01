"""Servers to set up, and the release of the sample app, made once per session."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bootstrap_scripts.servers import SAMPLE_APP, FolderServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FolderServer]:
    """Give a bare server, and stop what the test started on it."""
    server = FolderServer(root=tmp_path / "server")
    yield server
    server.stop_all()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the wheels of the sample app's requirements, and pip's own."""
    folder = tmp_path_factory.mktemp("wheels")
    requirements = ["-r", str(SAMPLE_APP / "requirements.txt"), "pip"]
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(folder)]
    subprocess.run([*download, *requirements], check=True)
    return folder


@pytest.fixture(scope="session")
def sample_release(wheels: Path) -> bytes:
    """Give the sample app as a release: source, wheels and release.json."""
    about = {
        "app": "guestbook",
        "release": "r1",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "platform": "any",
        "wheels": True,
        "requirements": "requirements.txt",
    }
    text = json.dumps(about).encode()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        tar.add(SAMPLE_APP, "app")
        tar.add(wheels, "wheels")
        member = tarfile.TarInfo("release.json")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    return packed.getvalue()
