"""What git says of an app's folder: its files, its revision, its label. Runs the `git` command; writes nothing.

Files that git ignores are not shipped: keep `.env` and other secrets in `.gitignore`.
"""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

from tasks.errors import ReleaseError
from tasks.plain import plain

_DEADLINE = 60.0
_MOST_SAID = 2000
NO_GIT = "no git"


def is_in_git(folder: Path) -> bool:
    """Say whether a folder is in a git work tree.

    Decided by a `.git` above it, not by git's exit code: where git refuses (another owner, not installed), shipping
    what it ignores would be worse than failing.
    """
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def tracked_and_new(folder: Path) -> list[str]:
    """List the files that git tracks below `folder` and those it does not know yet, without the ignored ones."""
    listed = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]


def commit_of(folder: Path, revision: str) -> str:
    """Resolve a revision to a commit.

    :raises ReleaseError: git knows no such revision.
    """
    if not is_in_git(folder):
        raise ReleaseError(f"{folder} is not in git, so there is no revision {revision!r} of it")
    # Neither an option, nor a range, which git would answer with more than a commit.
    is_one = revision and not revision.startswith(("-", "^")) and "\0" not in revision
    try:
        name = _git(folder, "rev-parse", "--verify", f"{revision}^{{commit}}") if is_one else b""
    except ReleaseError:
        name = b""
    if not name:
        raise ReleaseError(
            f"git knows no revision {revision!r} in {folder}",
            advice="Name a tag, branch or commit that `git log` shows; `git fetch --tags` gets new ones.",
        )
    return name.decode().strip()


def archive(folder: Path, commit: str) -> tarfile.TarFile:
    """Open the files below `folder` as they were at a commit; `export-ignore` in .gitattributes is heeded.

    :raises ReleaseError: there are submodules, whose files this repository does not have.
    """
    listed = _git(folder, "ls-tree", "-r", commit, ".").decode(errors="replace")
    if modules := [line.split("\t")[1] for line in listed.splitlines() if line.startswith("160000 ")]:
        raise ReleaseError(
            f"{folder} has submodules ({', '.join(modules)}): git cannot give their files at a revision",
            advice="Check the revision out, with its submodules, and ship the work tree.",
        )
    return tarfile.open(fileobj=io.BytesIO(_git(folder, "archive", "--format=tar", commit)))


def label(folder: Path, commit: str | None) -> str:
    """Name what is shipped: `git describe` of a commit, or of HEAD with "+changes" when the work tree differs."""
    if not is_in_git(folder):
        return NO_GIT
    try:
        described = _git(folder, "describe", "--tags", "--always", commit or "HEAD").decode(errors="replace").strip()
    except ReleaseError:
        described = "no commit"
    changed = commit is None and _git(folder, "status", "--porcelain", "--", ".")
    return f"{described}+changes" if changed else described


def _git(folder: Path, *arguments: str) -> bytes:
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    command = ("git", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, timeout=_DEADLINE, check=False, env=environment)
    except FileNotFoundError as error:
        raise ReleaseError(f"{folder} is in git, but there is no `git` command", advice="Install git.") from error
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"git {arguments[0]} in {folder} did not end within {_DEADLINE:g} s") from error
    if done.returncode:
        said = plain(done.stderr.decode(errors="replace").strip(), most=_MOST_SAID)
        raise ReleaseError(f"git {arguments[0]} failed in {folder}: {said}")
    return done.stdout
