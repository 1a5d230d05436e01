"""What becomes of an archive that wants more than to be an app. The real script, against archives made to hurt."""

import io
import json
import os
import stat
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bootstrap_scripts.servers import FolderServer, plain_release

ABOUT = json.dumps({"app": "plain", "wheels": False, "requirements": None}).encode()
NAMES = st.binary(min_size=1, max_size=60).filter(lambda name: not {0, 47} & {*name} and name not in {b".", b".."})


@dataclass(frozen=True, kw_only=True)
class Member:
    """One entry of an archive."""

    name: str
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    content: bytes = b""
    owner: int = 0


def link(name: str, target: str) -> Member:
    """Give a symlink."""
    return Member(name=name, kind=tarfile.SYMTYPE, link=target)


def packed(*members: Member) -> bytes:
    """Pack a release with these, after what every release begins with."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", format=tarfile.GNU_FORMAT, compresslevel=1) as tar:
        for member in (Member(name="release.json", content=ABOUT), *members):
            info = tarfile.TarInfo(member.name)
            info.type, info.linkname, info.mode, info.size = member.kind, member.link, member.mode, len(member.content)
            info.uid = info.gid = member.owner
            info.devmajor, info.devminor = 1, 3
            tar.addfile(info, io.BytesIO(member.content))
    return archive.getvalue()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Give a folder beside the server, with a file that nobody may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "precious").write_text("as it was")
    return folder


def unpack(server: FolderServer, release: bytes) -> tuple[int, str]:
    """Push a release and run the script that unpacks it; give its exit code and what it said."""
    server.push(release, settings={}, procfile="")
    done = server.execute("bootstrap_scripts/50-release.sh")
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (Member(name="app/null", kind=tarfile.CHRTYPE, mode=0o666), "devices"),
        (Member(name="app/disk", kind=tarfile.BLKTYPE, mode=0o666), "devices"),
        (Member(name="app/pipe", kind=tarfile.FIFOTYPE), "pipes"),
        (Member(name="app/hard", kind=tarfile.LNKTYPE, link="/etc/passwd"), "hard links"),
        (Member(name="app/hard", kind=tarfile.LNKTYPE, link="release.json"), "hard links"),
        (Member(name="app/root-shell", mode=0o4755), "setuid"),
        (Member(name="app/group-shell", mode=0o2755), "setuid"),
        (Member(name="app/shared", kind=tarfile.DIRTYPE, mode=0o1777), "setuid"),
        (Member(name="/tmp/absolute"), "names that lead out"),
        (Member(name="../beside"), "names that lead out"),
        (Member(name="app/../../beside"), "names that lead out"),
        (Member(name="app/.."), "names that lead out"),
        (Member(name="elsewhere/file"), "names that lead out"),
        (Member(name="application"), "names that lead out"),
        (Member(name="release.json/x"), "names that lead out"),
        (link("../app -> app/x", "y"), "names that lead out"),
        (link(".digest", "/etc/motd"), "names that lead out"),
        (link("app/out", "/etc"), "symlinks that lead out"),
        (link("app/out", "../../../../../../etc"), "symlinks that lead out"),
        (link("app/up", ".."), "symlinks that lead out"),
        (link("app/about", "../release.json"), "symlinks that lead out"),
        (link("app/new\nline", "/etc"), "symlinks that lead out"),
        (link("app/a -> b", "/etc"), "symlinks that lead out"),
        (link("app", "/etc"), "symlinks that lead out"),
        (link("wheels", "/etc"), "symlinks that lead out"),
    ],
    ids=lambda value: value.name if isinstance(value, Member) else "",
)
def test_what_is_refused(server: FolderServer, member: Member, why: str) -> None:
    """An archive with more than files, folders and inner symlinks is refused by name; the release before it stays."""
    assert unpack(server, plain_release(before_txt="before"))[0] == 0

    code, said = unpack(server, packed(member))

    assert code == 1
    assert why in said
    assert (server.app / "release/app/before.txt").exists()
    assert not (server.app / "release.new").exists()


@pytest.mark.parametrize("target", ["{outside}", "../../../../../outside"])
def test_nothing_is_written_through_a_symlink(server: FolderServer, outside: Path, target: str) -> None:
    """A file behind a symlink to a folder elsewhere is not written there."""
    trap = link("app/way", target.format(outside=outside))

    code, _ = unpack(server, packed(trap, Member(name="app/way/precious", content=b"changed")))

    assert code != 0
    assert (outside / "precious").read_text() == "as it was"
    assert not (server.app / "release").exists()


def test_the_note_of_what_is_unpacked_is_written_nowhere_else(server: FolderServer, outside: Path) -> None:
    """An archive that has a symlink where set-up notes the digest does not have it written to somebody's file."""
    unpack(server, packed(Member(name="app/fine"), link(".digest", str(outside / "precious"))))

    assert (outside / "precious").read_text() == "as it was"


def test_owners_and_rights_are_ours(server: FolderServer) -> None:
    """Files belong to who unpacks them, whatever the archive says, and nobody else may write to them."""
    code, said = unpack(server, packed(Member(name="app/open", mode=0o777, owner=12345)))

    made = (server.app / "release/app/open").stat()
    assert (code, said) == (0, "")
    assert (made.st_uid, made.st_gid) == (os.getuid(), os.getgid())
    assert stat.S_IMODE(made.st_mode) == 0o755


def test_inner_symlinks_are_kept(server: FolderServer) -> None:
    """Symlinks within the app are unpacked as they are, also those through a folder above, or to what is not there."""
    links = {"app/now": "v1/main.py", "app/v1/top": "..", "app/here": ".", "app/dangling": "later"}
    code, said = unpack(server, packed(Member(name="app/v1/main.py"), *(link(*one) for one in links.items())))

    assert (code, said) == (0, "")
    assert {name: str((server.app / "release" / name).readlink()) for name in links} == links


def test_another_archive_than_was_sent(server: FolderServer) -> None:
    """An archive whose digest is not the one that was announced is not even looked into."""
    server.push(plain_release(), settings={}, procfile="")
    (server.app / "release.tar.gz").write_bytes(packed(Member(name="/tmp/absolute")))

    refused = server.execute("bootstrap_scripts/50-release.sh")

    assert refused.returncode == 1
    assert "is not the one that was sent" in refused.stderr
    assert not (server.app / "release").exists()


@pytest.mark.parametrize("indent", [None, 1])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.text()
    | st.sampled_from(['"requirements": "evil"', '", "requirements": "evil', "\\", '\\"requirements": "x"'])
)
def test_no_words_are_taken_for_fields(server: FolderServer, indent: int | None, words: str) -> None:
    """Whatever a tag or pip's error says, in release.json it is words: no requirements are read out of it."""
    release = server.app / "release"
    release.mkdir(parents=True, exist_ok=True)
    server.push(plain_release(), settings={}, procfile="")
    about = {"label": words, "note": words, "python": "3", "requirements": None, "wheels": False, "z": words}
    (release / "release.json").write_text(json.dumps(about, indent=indent))

    done = server.execute("bootstrap_scripts/60-venv.sh")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, min_size=1, max_size=8))
def test_any_name_arrives(server: FolderServer, names: set[bytes]) -> None:
    """Whatever a file of the app is called, in any encoding, it arrives under that very name."""
    files = {name: str(number).encode() for number, name in enumerate(sorted(names))}

    code, said = unpack(server, packed(*(Member(name=f"app/{os.fsdecode(it)}", content=files[it]) for it in files)))

    assert (code, said) == (0, "")
    assert {os.fsencode(it.name): it.read_bytes() for it in (server.app / "release/app").iterdir()} == files
