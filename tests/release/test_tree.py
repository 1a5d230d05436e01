"""Which files are shipped."""

import os
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import ReleaseError
from tasks.release.model import Source
from tasks.release.tree import entries
from tests.release.conftest import git


def shipped(source: Source) -> list[str]:
    """List the names of what is shipped."""
    return [entry.name for entry in entries(source)]


def test_ignored_files_stay_at_home(committed):
    """In git, a new file is shipped and one that .gitignore names is not."""
    (committed.path / "new.py").write_text("")
    (committed.path / ".env").write_text("SECRET=1")
    (committed.path / "debug.log").write_text("")

    assert shipped(committed) == [".gitignore", "main.py", "new.py", "pages/index.html"]


def test_deleted_files_are_not_shipped(committed):
    """A file that git tracks but that was deleted from the work tree is not shipped."""
    (committed.path / "main.py").unlink()

    assert "main.py" not in shipped(committed)


def test_a_part_of_a_repository(committed):
    """An app that is a folder of a larger repository is shipped alone, with names relative to itself."""
    part = replace(committed, path=committed.path / "pages")

    assert shipped(part) == ["index.html"]
    assert shipped(replace(part, revision="v1")) == ["index.html"]


def test_a_revision_is_shipped_as_it_was(committed):
    """A revision's content is shipped, whatever the work tree holds now."""
    (committed.path / "main.py").write_text("changed")
    (committed.path / "new.py").write_text("")

    found = entries(replace(committed, revision="v1"))

    assert [entry.name for entry in found] == [".gitignore", "main.py", "pages/index.html"]
    assert found[1].open().read() == b"print('hello')\n"


def test_outside_git_secrets_and_left_overs_stay_at_home(make_app):
    """Outside git, dot-folders, .env, __pycache__ and virtual environments are not shipped."""
    source = make_app()
    for left_over in (".idea/x", "__pycache__/x.pyc", "env/pyvenv.cfg", "env/lib/y", "pages/__pycache__/z.pyc"):
        path = source.path / left_over
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (source.path / ".env").write_text("SECRET=1")

    assert shipped(source) == ["main.py", "pages/index.html"]


def test_a_repository_that_git_refuses_is_an_error(make_app):
    """Where git fails, nothing is shipped: what it ignores could be secret."""
    source = make_app()
    (source.path / ".git").write_text("gitdir: /nowhere\n")

    with pytest.raises(ReleaseError, match="ls-files failed"):
        entries(source)


def test_links_within_the_app_are_kept(make_app):
    """A symlink within the app is shipped as a symlink, also one to a folder."""
    source = make_app()
    (source.path / "start.py").symlink_to("main.py")
    (source.path / "sites").symlink_to("pages")

    links = {entry.name: entry.link for entry in entries(source) if entry.content is None}

    assert links == {"start.py": "main.py", "sites": "pages"}


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "pages/../../outside", ".."])
def test_links_out_of_the_app_are_refused(make_app, target):
    """A symlink that leads out of the app is an error, since no server has what it points to."""
    source = make_app()
    (source.path / "stray").symlink_to(target)

    with pytest.raises(ReleaseError, match=r"the symlink stray .* leads out of the app"):
        entries(source)


def test_a_submodule_is_shipped_with_its_files(committed, make_app):
    """A repository within the work tree is shipped with its own files, by its own rules."""
    inner = make_app("shop/vendor")
    git(inner.path, "init", "--quiet")

    assert "vendor/pages/index.html" in shipped(committed)


def test_a_submodule_at_a_revision(committed, make_app):
    """A revision with submodules is an error: without their files the app would not be whole."""
    inner = make_app("inner")
    git(inner.path, "init", "--quiet")
    git(inner.path, "add", ".")
    git(inner.path, "commit", "--quiet", "-m", "Inner")
    git(committed.path, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "vendor")
    git(committed.path, "commit", "--quiet", "-m", "A submodule")

    assert "vendor/main.py" in shipped(committed)
    with pytest.raises(ReleaseError, match=r"has submodules \(vendor\)"):
        entries(replace(committed, revision="HEAD"))


def test_names_in_any_encoding(committed):
    """A file whose name is no text is shipped as it is."""
    Path(os.fsdecode(os.fsencode(committed.path) + b"/caf\xe9")).write_text("")

    assert os.fsencode(shipped(committed)[1]) == b"caf\xe9"


def test_an_unknown_revision(committed):
    """A revision that git does not know is an error that says so, also one that looks like an option."""
    for revision in ("v9", "--all", "v1:main.py"):
        with pytest.raises(ReleaseError, match=f"git knows no revision '{revision}'"):
            entries(replace(committed, revision=revision))


def test_a_revision_without_git(make_app):
    """A revision of a folder that is not in git is an error that says so."""
    with pytest.raises(ReleaseError, match="is not in git"):
        entries(replace(make_app(), revision="v1"))


def test_a_missing_folder():
    """A wrong path is an error that names it."""
    with pytest.raises(ReleaseError, match="/nowhere/shop is not a folder"):
        entries(Source(app="shop", path=Path("/nowhere/shop")))


def test_an_empty_app(tmp_path):
    """A folder without files is an error: there is nothing to ship."""
    with pytest.raises(ReleaseError, match="the app shop is empty"):
        entries(Source(app="shop", path=tmp_path))


def a_tree(folder: Path, names: list[bytes], content: bytes) -> str:
    """Commit a tree with these names straight into a repository, as whoever serves one could make it."""

    def made(kind: str, what: bytes) -> str:
        command = ("git", "-C", str(folder), "hash-object", "-w", "--literally", "-t", kind, "--stdin")
        return subprocess.run(command, check=True, capture_output=True, input=what).stdout.decode().strip()

    blob = bytes.fromhex(made("blob", content))
    tree = made("tree", b"".join(b"100644 " + name + b"\0" + blob for name in sorted(names)))
    return git(folder, "commit-tree", tree, "-m", "From elsewhere")


@pytest.mark.parametrize("name", [b"..", b"../beside", b"/etc/passwd", b"pages//x", b"."])
def test_names_that_lead_out_of_the_app(committed, name):
    """A revision with a name that leads out of the app, or that no file can have, is not shipped: git refuses it."""
    with pytest.raises(ReleaseError, match="invalid path"):
        entries(replace(committed, revision=a_tree(committed.path, [name], b"")))


NAMES = st.binary(min_size=1, max_size=60).filter(
    lambda name: not {0, 47} & {*name} and name.lower() not in {b".", b"..", b".git", b".gitattributes"}
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1, max_size=5))
def test_any_name_in_a_revision(committed, names):
    """A file is shipped under the name that git knows it by, in any encoding and with any characters."""
    found = entries(replace(committed, revision=a_tree(committed.path, [*names], b"x")))

    assert {os.fsencode(entry.name) for entry in found} == names


BRANCHES = ["it's", "$(id>pwned)", "`id`", "a;b", "x|y", "a&b", "-x", "--all", "grüße", 'a"b', "a\u202eb", "@", "%s"]


@pytest.mark.parametrize("branch", BRANCHES)
def test_any_branch(committed, branch):
    """A branch is shipped by its name, whatever a shell would make of it; one like an option by its full name."""
    git(committed.path, "update-ref", f"refs/heads/{branch}", "HEAD")
    named = f"refs/heads/{branch}" if branch.startswith("-") else branch

    assert shipped(replace(committed, revision=named)) == [".gitignore", "main.py", "pages/index.html"]
    assert [path.name for path in committed.path.iterdir() if "pwned" in path.name] == []


def test_pipes_and_sockets_stay_at_home(make_app):
    """What is neither file, folder nor symlink is not shipped, and not waited for."""
    source = make_app()
    os.mkfifo(source.path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(source.path / "socket"))

        assert shipped(source) == ["main.py", "pages/index.html"]
