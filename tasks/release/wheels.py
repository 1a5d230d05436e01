"""The wheels of an app's requirements, made or fetched by pip and kept by digest. Knows nothing of git or archives.

For the Python of this machine `pip wheel` builds what has no wheel; for another one only ready-made wheels will do. A
pip wheel goes with them, so that a server without pip can install them.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.plain import line, printable
from tasks.release.cache import draft_folder
from tasks.release.model import Target
from tasks.release.tree import Entry

PIP_DEADLINE = 900.0
_MOST_OUTPUT = 100_000
_SHOWN_LINES = 5
_SHOWN_LENGTH = 300
_INCLUDES = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[\s=]*(\S+)", re.MULTILINE)
_DIRECT = re.compile(r"^\s*(?:-e\b|--editable\b|\.|[^\s#-][^#;\n]*[/@])", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Wheels:
    """The wheels of a release: where they are, or why there are none."""

    files: tuple[Path, ...] = ()
    note: str = ""


class NoWheels(Exception):
    """Pip could not get them; the message says why. Never leaves this module."""


def wheels_of(requirements: str, app: tuple[Entry, ...], target: Target, cache: Path) -> Wheels:
    """Give the wheels of a requirements file of the app, from the cache if the file and the target are unchanged.

    Where they cannot be had, gives none, and a note that says why. Takes at most twice PIP_DEADLINE seconds.
    """
    texts = _with_included(requirements, {entry.name: entry for entry in app})
    kept = cache / "wheels" / digest(texts, target)
    try:
        _refuse_unknown(target)
        _refuse_direct(texts)
        if not kept.is_dir():
            _fetch(requirements, texts, target, kept)
    except NoWheels as reason:
        return Wheels(note=f"no wheels for Python {target.python} on {target.platform}: {reason}")
    return Wheels(files=tuple(sorted(kept.glob("*.whl"))))


def digest(texts: Mapping[str, str], target: Target) -> str:
    """Identify what pip will be asked: the requirements with the files they include, and the target."""
    asked = [sorted(texts.items()), target.python, target.implementation, target.platform]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:24]


def _refuse_unknown(target: Target) -> None:
    """Do not take a laptop's platform for the servers': they run Linux."""
    if not target.platforms and not sysconfig.get_platform().startswith("linux"):
        raise NoWheels("this machine runs no Linux, and the settings name no platforms of the servers")


def _refuse_direct(texts: Mapping[str, str]) -> None:
    """Leave folders and URLs to the server: pip goes back to them even when it has their wheels."""
    for name, text in texts.items():
        if line := _DIRECT.search(text):
            named = text[line.start() :].strip().splitlines()[0]
            raise NoWheels(f"{name} names a folder or URL, {named!r}, which only the server can resolve")


def _with_included(name: str, app: Mapping[str, Entry]) -> dict[str, str]:
    texts: dict[str, str] = {}
    to_read = [name]
    while to_read:
        current = to_read.pop()
        if current in app and current not in texts:
            with app[current].open() as content:
                texts[current] = content.read().decode(errors="replace")
            folder = posixpath.dirname(current)
            to_read += [posixpath.normpath(posixpath.join(folder, it)) for it in _INCLUDES.findall(texts[current])]
    return texts


def _fetch(requirements: str, texts: Mapping[str, str], target: Target, kept: Path) -> None:
    with draft_folder(kept) as wheels, tempfile.TemporaryDirectory(prefix="release-") as folder:
        for name, text in texts.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        how = ("wheel", f"--wheel-dir={wheels}") if target.is_here else ("download", f"--dest={wheels}", *_for(target))
        _pip(Path(folder), *how, f"--requirement={requirements}")
        if not any(wheels.glob("pip-*.whl")):
            _pip(Path(folder), "download", "--no-deps", f"--dest={wheels}", *_for(target), "pip")


def _for(target: Target) -> tuple[str, ...]:
    platforms = tuple(f"--platform={platform}" for platform in target.platforms)
    python = (f"--python-version={target.python}", f"--implementation={target.implementation}")
    return ("--only-binary=:all:", *platforms, *python)


def _pip(folder: Path, *arguments: str) -> None:
    # The output goes to a file, not a pipe: a build backend that outlives pip would hold the pipe open for ever.
    command = (
        sys.executable,
        "-m",
        "pip",
        *arguments,
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--retries=2",
    )
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800", "PYTHONWARNINGS": "ignore"}
    with tempfile.TemporaryFile() as output:
        try:
            done = subprocess.run(
                command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                timeout=PIP_DEADLINE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise NoWheels(f"pip {arguments[0]} did not end within {PIP_DEADLINE:g} s") from None
        if done.returncode:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _MOST_OUTPUT))
            raise NoWheels(_reason(output.read().decode(errors="replace")))


def _reason(output: str) -> str:
    lines = [line.strip() for line in map(printable, output.splitlines()) if line.strip()]
    told = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    shown = (told or lines or ["pip failed without a word"])[-_SHOWN_LINES:]
    return " · ".join(line(one, most=_SHOWN_LENGTH) for one in shown)
