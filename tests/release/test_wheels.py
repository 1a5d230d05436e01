"""The wheels in a release. These tests ask a real pip; the ones that need the package index say so."""

import sys
import sysconfig
from dataclasses import replace

import pytest

from tasks.release.build import build
from tasks.release.model import Target
from tasks.release.wheels import _DIRECT, digest
from tests.release.conftest import about, names_in

HERE = Target.here()
ELSEWHERE = Target(python="3.12", platforms=("manylinux2014_aarch64", "manylinux_2_17_aarch64"))
NO_INDEX = "--no-index\n"


@pytest.fixture
def app_with(make_app):
    """Make an app with these requirements."""

    def make(text, name="shop"):
        return replace(make_app(name, **{"requirements.txt": text}), requirements="requirements.txt")

    return make


def wheels_in(release):
    """List the wheels of a release."""
    return [name.removeprefix("wheels/") for name in names_in(release.path) if name.startswith("wheels/")]


def test_wheels_for_this_machine(app_with, cache):
    """A release carries the wheels of its requirements and a pip that can install them (asks the index)."""
    release = build(app_with("sqlparse==0.5.3\n"), HERE, cache)

    assert release.has_wheels
    assert [name.split("-")[0] for name in wheels_in(release)] == ["pip", "sqlparse"]
    assert about(release.path)["wheels"] is True


def test_wheels_for_another_platform(app_with, cache):
    """Wheels for another Python and platform than this machine's are fetched ready-made (asks the index)."""
    release = build(app_with("MarkupSafe==3.0.2\n"), ELSEWHERE, cache)

    assert release.has_wheels, release.note
    assert any(name.startswith("MarkupSafe-3.0.2-cp312-cp312-") and "aarch64" in name for name in wheels_in(release))
    assert (release.python, release.platform) == ("3.12", "manylinux2014_aarch64,manylinux_2_17_aarch64")


def test_kept_wheels_need_no_index(app_with, cache, monkeypatch):
    """Wheels are fetched once: with the same requirements, a changed app is built while no index answers."""
    source = app_with("sqlparse==0.5.3\n")
    build(source, HERE, cache)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    (source.path / "main.py").write_text("print('bye')\n")

    assert build(source, HERE, cache).has_wheels


def test_no_wheels_for_that_platform(app_with, cache):
    """Where a wheel cannot be had, the release is built without wheels and its note says which."""
    release = build(app_with("no-such-thing==1.0\n" + NO_INDEX), ELSEWHERE, cache)

    assert not release.has_wheels
    assert wheels_in(release) == []
    assert "no wheels for Python 3.12 on manylinux2014_aarch64" in release.note
    assert "no-such-thing==1.0" in release.note
    assert about(release.path)["requirements"] == "requirements.txt"


def test_a_laptop_is_no_server(app_with, cache, monkeypatch):
    """On a machine that runs no Linux, wheels are not made for "like here": the servers are not."""
    monkeypatch.setattr(sysconfig, "get_platform", lambda: "macosx-14.0-arm64")

    assert "this machine runs no Linux" in build(app_with("sqlparse==0.5.3\n"), HERE, cache).note


def test_a_pip_of_the_requirements(app_with, cache):
    """Where the requirements name a pip of their own, there is no second one beside it (asks the index)."""
    release = build(app_with("pip==24.0\n"), HERE, cache)

    assert wheels_in(release) == ["pip-24.0-py3-none-any.whl"]


def test_a_failure_is_not_kept(app_with, cache):
    """A failed attempt leaves nothing in the cache that could pass for wheels."""
    build(app_with("no-such-thing==1.0\n" + NO_INDEX), HERE, cache)

    assert list((cache / "wheels").iterdir()) == []


def test_wheels_are_kept_by_requirements(app_with, cache):
    """Another file of the app, changed, takes the same wheels; other requirements and targets do not."""
    names = [
        digest({"requirements.txt": text}, target)
        for text, target in (("sqlparse", HERE), ("sqlparse", HERE), ("Django", HERE), ("sqlparse", ELSEWHERE))
    ]

    assert names[0] == names[1]
    assert len(set(names)) == 3


@pytest.mark.parametrize("text", ["-r more.txt\n", "-c more.txt\n", "--requirement=more.txt\n", "  -rmore.txt\n"])
def test_included_files_count(app_with, cache, text):
    """A file that the requirements include is read as well, even when the two include each other."""
    source = app_with(text)
    (source.path / "more.txt").write_text("-r requirements.txt\n./local\n")

    assert "more.txt names a folder or URL, './local'" in build(source, HERE, cache).note


@pytest.mark.parametrize("line", [".", "-e .", "./pages", "pages/", "shop @ file:///app", "git+https://example.org/x"])
def test_folders_and_urls_are_left_to_the_server(app_with, cache, line):
    """Requirements that name a folder or a URL are installed by the server; the note names the line."""
    release = build(app_with(f"sqlparse\n{line}\n"), HERE, cache)

    assert not release.has_wheels
    assert repr(line) in release.note


@pytest.mark.parametrize("line", ["a==1 # see http://x/y", "--index-url https://x/simple", 'a; sys_platform == "x/y"'])
def test_comments_options_and_markers_are_no_urls(line):
    """A slash in a comment, an option or a marker does not make a requirement one that only the server can resolve."""
    assert _DIRECT.search(line) is None
