"""What of Python's packages an app needs on a server: its own requirements, and a program that serves it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.starting.model import SERVER_REQUIREMENTS
from tasks.starting.reading import UNREADABLE, text_of

_INCLUDED = re.compile(r"^\s*(?:-r|--requirement)[\s=]+(\S+)", re.MULTILINE)
_OWN = "requirements.txt"


@dataclass(frozen=True, kw_only=True)
class Requirements:
    """A requirements file.

    :param name: its name; "" for an app that needs no packages.
    :param files: it, if it has to be written.
    """

    name: str = ""
    files: Mapping[str, str]


def own(folder: Path) -> Requirements:
    """Give what the app names itself: requirements.txt, or the dependencies of its pyproject.toml."""
    if (folder / _OWN).is_file():
        return Requirements(name=_OWN, files={})
    dependencies = _of_project(folder)
    return _written("# The dependencies of pyproject.toml.", dependencies) if dependencies else Requirements(files={})


def with_server(folder: Path, server: str) -> Requirements:
    """Give the app's requirements with the program that serves it, such as gunicorn, which they may have already."""
    if names(folder, server):
        return own(folder)
    lines = ["-r requirements.txt"] if (folder / _OWN).is_file() else _of_project(folder)
    return _written(f"# What the app needs on a server: its own requirements, and {server}.", [*lines, server])


def names(folder: Path, package: str) -> bool:
    """Say whether the app's requirements name a package."""
    lines = [*_lines(folder / _OWN, frozenset()), *_of_project(folder)]
    return any(re.match(rf"\s*{re.escape(package)}\b(?!-)", line, re.IGNORECASE) for line in lines)


def _lines(path: Path, seen: frozenset[Path]) -> list[str]:
    text = text_of(path)
    included = {path.parent / name for name in _INCLUDED.findall(text)} - seen
    return [*text.splitlines(), *(line for one in included for line in _lines(one, seen | included))]


def _of_project(folder: Path) -> list[str]:
    try:
        found = tomllib.loads(text_of(folder / "pyproject.toml")).get("project", {}).get("dependencies", [])
    except (*UNREADABLE, AttributeError):
        return []
    return [line for line in found if isinstance(line, str)] if isinstance(found, list) else []


def _written(comment: str, lines: list[str]) -> Requirements:
    text = "".join(f"{line}\n" for line in (comment, *lines))
    return Requirements(name=SERVER_REQUIREMENTS, files={SERVER_REQUIREMENTS: text})
