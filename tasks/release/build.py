"""Build a release once, and find it again: by id, by the beginning of one, or by the path of its artifact."""

from __future__ import annotations

import difflib
import re
import shutil
from dataclasses import replace
from pathlib import Path

from tasks.errors import ReleaseError
from tasks.release import git
from tasks.release.artifact import About, identify, is_id, pack, read_back
from tasks.release.cache import draft_file, private_folder
from tasks.release.model import Release, Source, Target
from tasks.release.tree import Entry, entries
from tasks.release.wheels import Wheels, wheels_of

# Servers read it out of JSON with sed: there may be no other program (bootstrap_scripts/60-venv.sh).
_PLAIN_NAME = re.compile(r"[A-Za-z0-9._+@=/ -]*[A-Za-z0-9._+@=/-]")
_SHORTEST_PREFIX = 4
_KEPT = 30
_ENDING = ".tar.gz"


def build(source: Source, target: Target, cache: Path) -> Release:
    """Build the artifact of an app for its servers, or recognise one that was built before.

    Without wheels (see its note) it is a release all the same: the servers then install from the package index.

    :raises ReleaseError: a wrong path, revision or requirements file, or an app without files.
    """
    private_folder(cache)
    app = entries(source)
    wheels = _wheels(source, app, target, cache)
    about = About(
        app=source.app, python=target.python, platform=target.platform, requirements=source.requirements,
        wheels=bool(wheels.files), label=_label(source), note=wheels.note,
    )  # fmt: skip
    content = (*(replace(entry, name=f"app/{entry.name}") for entry in app), *map(_wheel, wheels.files))
    release = identify(about, content)
    path = _releases(cache) / (release + _ENDING)
    if path.exists():
        path.touch()
    else:
        pack(path, release, about, content)
        _forget_oldest(path.parent)
    return replace(read_back(path), label=about.label, note=about.note)


def find(release: str, cache: Path) -> Release:
    """Find a built release by its id, by the first few digits of it, or by the path of its artifact.

    :raises ReleaseError: there is none, or there are several; names the near ones.
    """
    if release.endswith(_ENDING) or "/" in release:
        return _adopted(Path(release).expanduser(), cache)
    known = [path.name.removesuffix(_ENDING) for path in _newest_first(_releases(cache))]
    found = [
        name for name in known if name == release or (len(release) >= _SHORTEST_PREFIX and name.startswith(release))
    ]
    if len(found) == 1:
        return read_back(_releases(cache) / (found[0] + _ENDING))
    near = found or difflib.get_close_matches(release, known, cutoff=0.5) or known[:3]
    what = "several releases begin with" if found else "there is no built release"
    raise ReleaseError(
        f"{what} {release!r} in {_releases(cache)}",
        advice=f"Did you mean {' or '.join(near)}?" if near else "Nothing is built yet: `fab deploy` builds a release.",
    )


def built(release: str, cache: Path) -> Release:
    """Give a built release by its whole id, as a server's metadata tells it: no path, whatever it looks like.

    :raises ReleaseError: it is not in the cache of this machine.
    """
    path = _releases(cache) / (release + _ENDING)
    if not is_id(release) or not path.is_file():
        raise ReleaseError(
            f"the release {release!r} of the server is not in {_releases(cache)}",
            advice="It was built on another machine: `fab deploy` builds anew.",
        )
    return read_back(path)


def _adopted(path: Path, cache: Path) -> Release:
    """Copy an artifact from elsewhere, such as a CI's, into the cache: from now on it is known by its id."""
    given = read_back(path)
    kept = _releases(cache) / (given.id + _ENDING)
    if not kept.exists():
        with draft_file(kept) as draft:
            shutil.copyfile(path, draft)
    return replace(given, path=kept)


def _wheels(source: Source, app: tuple[Entry, ...], target: Target, cache: Path) -> Wheels:
    if source.requirements is None:
        return Wheels()
    if source.requirements not in {entry.name for entry in app}:
        of_revision = f" at {source.revision}" if source.revision else ""
        raise ReleaseError(
            f"the app {source.app} has no file {source.requirements!r} in {source.path}{of_revision}",
            advice="Correct the name of the requirements file, or see whether git ignores it.",
        )
    if not _PLAIN_NAME.fullmatch(source.requirements):
        raise ReleaseError(
            f"the requirements file {source.requirements!r} has a name that servers may misread",
            advice="Name it with ASCII letters, digits, spaces and . _ + @ = / - alone.",
        )
    return wheels_of(source.requirements, app, target, cache)


def _label(source: Source) -> str:
    return git.label(source.path, source.revision and git.commit_of(source.path, source.revision))


def _wheel(path: Path) -> Entry:
    return Entry(name=f"wheels/{path.name}", content=path)


def _releases(cache: Path) -> Path:
    return cache / "releases"


def _newest_first(folder: Path) -> list[Path]:
    return sorted(folder.glob("*" + _ENDING), key=_last_used, reverse=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another build has just forgotten it
        return 0.0


def _forget_oldest(folder: Path) -> None:
    """Keep the cache from growing for ever; a release that was used lately counts as new."""
    for path in _newest_first(folder)[_KEPT:]:
        path.unlink(missing_ok=True)
