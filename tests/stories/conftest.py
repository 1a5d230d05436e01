"""Operators with a state folder of their own; whatever they start is ended, and nothing of it may be left.

A story that asks for `face` is told on the local cloud as Rackspace and as OpenStack. By default that is so for those
marked `both_faces`, and the others are told on the first face alone; `--all-faces` tells all of them on both.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.stories.colleagues import Colleague, Office
from tests.stories.leftovers import leftovers
from tests.stories.operators import ONE, Operator

MEMORY = Path("/dev/shm")  # servers are made of many small files, which disks are slow at
FACES = ("rackspace", "openstack")
HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.addinivalue_line("markers", "both_faces: told on both faces of the local cloud, even without --all-faces")
    config.addinivalue_line("markers", "told_on(*faces): these faces will do, without --all-faces; none: it takes long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the second face where the first one will do."""
    if not config.getoption("--all-faces"):
        left_out = [item for item in items if _one_face_will_do(item)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _one_face_will_do(item: pytest.Item) -> bool:
    if not item.path.is_relative_to(HERE) or item.get_closest_marker("both_faces"):
        return False
    told_on = item.get_closest_marker("told_on")
    faces = told_on.args if told_on else FACES[:1]
    given = getattr(item, "callspec", None)
    return given is not None and "face" in given.params and given.params["face"] not in faces


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


@contextmanager
def an_operator_on(face: str, caches: Path) -> Iterator[Operator]:
    """Give an operator whose local cloud runs already, and wears this face."""
    with an_operator(caches) as someone:
        someone.manages("local.up", "--face", face)
        yield someone


@contextmanager
def an_office(face: str, caches: Path) -> Iterator[Office]:
    """Give an office whose cloud is empty."""
    with an_operator_on(face, caches) as host, an_operator(caches) as ann, an_operator(caches) as bob:
        yield Office(host=host, ann=Colleague.of(host, ann), bob=Colleague.of(host, bob), cloud=host.cloud())


@pytest.fixture(scope="module", params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    """Give the face of the local cloud."""
    return str(request.param)


@pytest.fixture(scope="session")
def caches() -> Iterator[Path]:
    """Give the folder in which wheels, and what novaclient remembers, are kept for all stories."""
    with a_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NOVACLIENT_UUID_CACHE_DIR", str(folder / "novaclient"))
        yield folder


@pytest.fixture
def newcomer(caches: Path) -> Iterator[Operator]:
    """Give an operator who has nothing yet."""
    with an_operator(caches) as someone:
        yield someone


@pytest.fixture
def operator(face: str, caches: Path) -> Iterator[Operator]:
    """Give an operator whose local cloud is empty."""
    with an_operator_on(face, caches) as someone:
        yield someone


@pytest.fixture
def operators(caches: Path) -> Iterator[Callable[[], Operator]]:
    """Give as many operators who have nothing yet as a story asks for."""
    with ExitStack() as all_of_them:
        yield lambda: all_of_them.enter_context(an_operator(caches))


@pytest.fixture(scope="module")
def site(face: str, caches: Path) -> Iterator[Operator]:
    """Give an operator whose sample app runs on one server; for stories that leave that server serving."""
    with an_operator_on(face, caches) as someone:
        with_one = someone.with_settings(ONE, name="one")
        with_one.manages("deploy")
        yield with_one


@pytest.fixture(scope="module")
def office(face: str, caches: Path) -> Iterator[Office]:
    """Give an office whose site is up; every story leaves it up."""
    with an_office(face, caches) as office:
        office.ann.releasing("first").manages("deploy")
        yield office
