"""Operators with a state folder of their own; whatever they start is ended, and nothing of it may be left."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.stories.leftovers import leftovers
from tests.stories.operators import ONE, Operator

MEMORY = Path("/dev/shm")  # servers are made of many small files, which disks are slow at


@contextmanager
def a_folder() -> Iterator[Path]:
    """Give a folder for a while, in memory where there is some."""
    folder = tempfile.mkdtemp(prefix="story-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def an_operator(caches: Path) -> Iterator[Operator]:
    """Give an operator, and end their local cloud afterwards: no process, no mount and no file of it is left."""
    with a_folder() as folder:
        someone = Operator.at(folder, caches)
        try:
            yield someone
        finally:
            someone.manages("local.down")
            assert leftovers(folder) == []


@pytest.fixture(scope="session")
def caches() -> Iterator[Path]:
    """Give the folder in which wheels, and what novaclient remembers, are kept for all stories."""
    with a_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOVACLIENT_UUID_CACHE_DIR", str(folder / "novaclient"))
        yield folder


@pytest.fixture
def operator(caches: Path) -> Iterator[Operator]:
    """Give an operator who has nothing yet."""
    with an_operator(caches) as someone:
        yield someone


@pytest.fixture
def operators(caches: Path) -> Iterator[Callable[[], Operator]]:
    """Give as many operators as a story asks for."""
    with ExitStack() as all_of_them:
        yield lambda: all_of_them.enter_context(an_operator(caches))


@pytest.fixture(scope="module")
def site(caches: Path) -> Iterator[Operator]:
    """Give an operator whose sample app runs on one server; for stories that leave that server serving."""
    with an_operator(caches) as someone:
        with_one = someone.with_settings(ONE, name="one")
        with_one.manages("deploy")
        yield with_one
