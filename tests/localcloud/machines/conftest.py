"""Labs: hypervisors with real servers."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.localcloud.machines.spec import Isolation
from tests.localcloud.machines.lab import Lab, started


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Servers in namespaces."""
    with started(tmp_path_factory.mktemp("lab"), Isolation.NAMESPACES) as lab:
        yield lab


@pytest.fixture(scope="module")
def plain_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Servers that are plain processes."""
    with started(tmp_path_factory.mktemp("plain"), Isolation.PROCESSES) as lab:
        yield lab


@pytest.fixture
def new_lab(tmp_path: Path) -> Iterator[Callable[[Isolation], Lab]]:
    """Start a hypervisor for one test, which may harm it."""
    with contextlib.ExitStack() as labs:

        def start(isolation: Isolation) -> Lab:
            return labs.enter_context(started(tmp_path, isolation))

        yield start


@pytest.fixture
def running() -> Callable[[str], list[str]]:
    """Find processes, anywhere on the machine, by their whole command line."""

    def find(command_line: str) -> list[str]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (folder / "cmdline").read_text().replace("\0", " ").strip() == command_line:
                    found.append(folder.name)
        return found

    return find


@pytest.fixture
def folder_of_nobody() -> Iterator[str]:
    """Make a folder that an ordinary user owns and can reach."""
    folder = tempfile.mkdtemp()
    os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder)
