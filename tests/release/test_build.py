"""What is built, what it is called, and how it is found again."""

import gzip
import os
import stat
import tarfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tasks.errors import ReleaseError
from tasks.release.artifact import About, identify, pack, read_back
from tasks.release.build import build, built, find
from tasks.release.cache import default_cache
from tasks.release.model import Target
from tasks.release.tree import Entry
from tests.release.conftest import about, content_of, git, names_in

HERE = Target.here()


def test_the_same_source_gives_the_same_release(make_app, tmp_path):
    """The same app in another folder, with other times, gives the same id and the same bytes."""
    first, second = make_app("one"), make_app("two")
    os.utime(second.path / "main.py", (0, 0))

    built = [build(source, HERE, tmp_path / f"cache-{source.path.name}") for source in (first, second)]

    assert built[0].id == built[1].id
    assert built[0].path.read_bytes() == built[1].path.read_bytes()


@pytest.mark.parametrize("change", ["content", "mode", "name", "target"])
def test_another_content_is_another_release(make_app, cache, change):
    """A change of a file's content, mode or name, or of the target, gives another id."""
    source, target = make_app(), HERE
    before = build(source, target, cache)
    main = source.path / "main.py"
    if change == "content":
        main.write_text("print('bye')\n")
    elif change == "mode":
        main.chmod(0o755)
    elif change == "name":
        main.rename(source.path / "start.py")
    else:
        target = replace(HERE, python="3.99")

    assert build(source, target, cache).id != before.id


def test_the_layout_of_an_artifact(make_app, cache):
    """An artifact begins with release.json and holds the app's files below app/, owned by root, without times."""
    source = make_app()
    (source.path / "run").write_text("#!/bin/sh\n")
    (source.path / "run").chmod(0o700)
    (source.path / "main.py").chmod(0o600)

    release = build(source, HERE, cache)

    with tarfile.open(release.path) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == ["release.json", "app/main.py", "app/pages/index.html", "app/run"]
    assert [oct(member.mode) for member in members] == ["0o644", "0o644", "0o644", "0o755"]
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, 0)}


def test_an_artifact_says_what_it_is(committed, cache):
    """release.json names the app, the release, its label and the target."""
    release = build(committed, HERE, cache)

    assert about(release.path) == {
        "app": "shop", "release": release.id, "label": "v1", "note": "", "wheels": False, "requirements": None,
        "python": HERE.python, "platform": HERE.platform,
    }  # fmt: skip


def test_labels(committed, cache):
    """The label is what git describes, with "+changes" when the work tree differs, also by a new file."""
    assert build(committed, HERE, cache).label == "v1"
    (committed.path / "new.py").write_text("")
    assert build(committed, HERE, cache).label == "v1+changes"
    assert build(replace(committed, revision="HEAD"), HERE, cache).label == "v1"


def test_the_label_of_other_folders(make_app, cache):
    """A folder that is not in git has the label "no git"; a repository without commits says so."""
    source = make_app()
    assert build(source, HERE, cache).label == "no git"
    git(source.path, "init", "--quiet")
    assert build(source, HERE, cache).label == "no commit+changes"


def test_a_commit_of_the_same_files_is_the_same_release(committed, cache):
    """The id depends on content alone; the label is the one of this build."""
    first = build(committed, HERE, cache)
    git(committed.path, "commit", "--quiet", "--allow-empty", "-m", "Nothing new")
    second = build(committed, HERE, cache)

    assert first.id == second.id
    assert second.label.startswith("v1-1-g")


def test_an_unchanged_source_is_not_packed_again(make_app, cache):
    """The second build of the same source leaves the artifact as it is."""
    source = make_app()
    first = build(source, HERE, cache)
    inode = first.path.stat().st_ino

    assert build(source, HERE, cache) == first
    assert first.path.stat().st_ino == inode


def test_builds_at_once(make_app, cache):
    """Several builds of one source at once give one whole artifact and leave no drafts."""
    source = make_app()
    with ThreadPoolExecutor(8) as pool:
        built = set(pool.map(lambda _: build(source, HERE, cache), range(8)))

    assert len(built) == 1
    assert [path.name for path in (cache / "releases").iterdir()] == [built.pop().path.name]


def test_the_cache_is_private(make_app, cache):
    """Only its owner can enter the cache."""
    build(make_app(), HERE, cache)

    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


def test_the_default_cache(monkeypatch, tmp_path):
    """Releases are kept under XDG_CACHE_HOME where that is set."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert default_cache() == tmp_path / "disposable-servers"


def test_a_missing_requirements_file(make_app, cache):
    """A requirements file that is not in the app is an error that names it."""
    source = replace(make_app(), requirements="requirements.txt")

    with pytest.raises(ReleaseError, match=r"the app shop has no file 'requirements\.txt'"):
        build(source, HERE, cache)


@pytest.mark.parametrize("name", ['a".txt', "a,b.txt", "a}.txt", "grüße.txt", "a\\b.txt", "a\nb.txt", "ends "])
def test_a_requirements_file_that_servers_would_misread(make_app, cache, name):
    """A requirements file whose name is not plain is refused here, and not misread there."""
    source = make_app(**{name: ""})

    with pytest.raises(ReleaseError, match="a name that servers may misread"):
        build(replace(source, requirements=name), HERE, cache)


def test_a_release_is_found_by_id_prefix_and_path(make_app, cache):
    """A built release is found by its id, the beginning of it, or its artifact's path."""
    release = build(make_app(), HERE, cache)

    assert find(release.id, cache) == find(release.id[:6], cache) == find(str(release.path), cache) == release


def test_an_artifact_from_elsewhere_is_known_from_then_on(make_app, cache, tmp_path):
    """An artifact that was built elsewhere is found by its path once, and by its id ever after."""
    release = build(make_app(), HERE, tmp_path / "elsewhere")
    carried = release.path.rename(tmp_path / "carried.tar.gz")

    assert find(str(carried), cache).id == release.id
    carried.unlink()
    assert find(release.id, cache).size == release.size


def test_an_id_is_no_path(tmp_path, cache):
    """An artifact whose id is not one, but could be a path, is refused."""
    named = About(app="shop", python="3", platform="any", requirements=None, wheels=False, label="x")
    pack(tmp_path / "x.tar.gz", identify(named, ()), named, ())
    text = gzip.decompress((tmp_path / "x.tar.gz").read_bytes())
    forged = text.replace(identify(named, ()).encode(), b"../../../../")
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(forged))

    with pytest.raises(ReleaseError, match="is no id"):
        find(str(tmp_path / "x.tar.gz"), cache)


def test_an_unknown_release_names_the_near_ones(make_app, cache):
    """An id that is not built is an error that offers the near ones."""
    release = build(make_app(), HERE, cache)

    with pytest.raises(ReleaseError, match=f"Did you mean {release.id}"):
        find(release.id[:-2] + "zz", cache)


def test_an_ambiguous_release_names_the_candidates(make_app, cache):
    """The beginning of several ids is an error that names them."""
    release = build(make_app(), HERE, cache)
    twin = release.path.with_name(release.id[:6] + "ffffff.tar.gz")
    twin.write_bytes(release.path.read_bytes())

    with pytest.raises(ReleaseError, match=f"several releases begin with '{release.id[:6]}'"):
        find(release.id[:6], cache)


def test_no_release_at_all(cache):
    """Where nothing is built, the error says how to build."""
    with pytest.raises(ReleaseError, match="Nothing is built yet"):
        find("abcdef", cache)


def test_a_file_that_is_no_release(tmp_path):
    """A file that is no artifact of ours is an error that names it; so is half of one."""
    for content in (b"", b"hello", b"\x1f\x8b\x08\x00"):
        (tmp_path / "x.tar.gz").write_bytes(content)
        with pytest.raises(ReleaseError, match=r"x\.tar\.gz is no release"):
            read_back(tmp_path / "x.tar.gz")


def test_a_large_app_is_packed_whole(make_app, cache):
    """A file larger than the buffers arrives whole."""
    source = make_app()
    text = "0123456789" * 300_000
    (source.path / "large.txt").write_text(text)

    assert content_of(build(source, HERE, cache).path, "app/large.txt") == text


def test_old_releases_are_forgotten(make_app, cache):
    """The cache keeps the thirty releases that were used last."""
    source = make_app()
    first = build(source, HERE, cache)
    os.utime(first.path, (0, 0))
    for number in range(30):
        (source.path / "main.py").write_text(str(number))
        last = build(source, HERE, cache)

    assert not first.path.exists()
    assert names_in(last.path)


def test_a_release_that_a_server_names_is_no_path(make_app, cache, tmp_path):
    """What a cloud says of a server's release is an id of the cache and nothing else: no other file is sent for it."""
    release = build(make_app(), HERE, cache)
    elsewhere = tmp_path / "other.tar.gz"
    elsewhere.write_bytes(release.path.read_bytes())

    assert built(release.id, cache) == release
    for named in (str(elsewhere), f"../releases/{release.id}", release.id[:6], "f" * 12, "", "\0", "x\n"):
        with pytest.raises(ReleaseError, match="is not in"):
            built(named, cache)


def test_a_file_that_cannot_be_read(tmp_path):
    """A file that is gone when the release is packed is an error that names it, and no half artifact is left."""
    named = About(app="shop", python="3", platform="any", requirements=None, wheels=False, label="x")

    with pytest.raises(ReleaseError, match="gone cannot be read: No such file"):
        pack(tmp_path / "x.tar.gz", "f" * 12, named, [Entry(name="app/main.py", content=tmp_path / "gone")])

    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changes_while_it_is_packed(tmp_path):
    """A file that has become another one by the end of packing is an error, and no half artifact is left."""
    named = About(app="shop", python="3", platform="any", requirements=None, wheels=False, label="x")
    (tmp_path / "main.py").write_text("before")
    entry = Entry(name="app/main.py", content=tmp_path / "main.py")
    release = identify(named, [entry])
    (tmp_path / "main.py").write_text("after")

    with pytest.raises(ReleaseError, match="changed while they were packed"):
        pack(tmp_path / "x.tar.gz", release, named, [entry])

    assert [path.name for path in tmp_path.iterdir()] == ["main.py"]
