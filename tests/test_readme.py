"""The README tells the truth: its settings are those of the code, its tasks are those that `fab --list` shows."""

import os
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tasks import environments, ns
from tasks.settings import PACKAGE_ROOT, Settings
from tasks.settings_file import CLOUD_DEFAULTS, LOCAL_DEFAULTS

README = PACKAGE_ROOT / "README.md"
BEGIN, END = "<!-- settings: written by tests/test_readme.py -->\n", "<!-- end of settings -->"


def rows(section=Settings, path=""):
    """Give a table row for every key: its path, its default, its meaning."""
    for key, field in section.model_fields.items():
        below = next((k for k in (field.annotation, *get_args(field.annotation)) if _is_section(k)), None)
        if below:
            yield from rows(below, f"{path}{key}{'[]' if below is not field.annotation else ''}.")
        else:
            meaning = (field.description or "").replace("|", "\\|") + choices(field.annotation)
            yield f"| `{path}{key}` | {default(f'{path}{key}', field.default)} | {meaning} |"


def choices(kind):
    """Word the values that a key may have, where they are listed."""
    listed = get_args(kind) if get_origin(kind) is Literal else ()
    return f": {', '.join(f'`{value}`' for value in listed)}" if listed else ""


def _is_section(kind):
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def default(path, value):
    """Word a default; where the local cloud differs, both."""
    local, cloud = (_at(values, path) for values in (LOCAL_DEFAULTS, CLOUD_DEFAULTS))
    plain = None if value is PydanticUndefined else value
    if path.startswith("listeners[]"):
        key = path.removeprefix("listeners[].")
        if all(key not in one for side in _sides() for one in side["listeners"]) and plain is None:
            return "none"
        values = [" and ".join(str(one.get(key, plain)) for one in side["listeners"]) for side in _sides()]
        return f"{values[0]} (local: {values[1]})" if values[0] != values[1] else values[0]
    worded = _worded(cloud if cloud is not None else plain)
    return worded if local is None else f"{worded} (local: {_worded(local)})"


def _sides():
    return CLOUD_DEFAULTS, LOCAL_DEFAULTS


def _at(values, path):
    for key in path.split("."):
        values = values.get(key) if isinstance(values, dict) else None
    return values


def _worded(value):
    if value is None:
        return "has to be set"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Path):
        return f"`{value.relative_to(PACKAGE_ROOT)}`"
    if isinstance(value, dict | tuple):
        return "`" + ", ".join(map(str, value)) + "`" if value else "none"
    return f"`{value:g}`" if isinstance(value, float | int) else (f"`{value}`" if value else '`""`')


def table():
    """Give the table of settings."""
    one = f"| `{environments.KEY}.NAME` | none | {environments.MEANING} |"
    return "\n".join(["| Key | Default | Meaning |", "|---|---|---|", *rows(), one]) + "\n"


def test_the_table_of_settings_is_the_code():
    """Every key, default and meaning in the README comes from the code that validates them.

    `WRITE_README=1 pytest tests/test_readme.py` writes the table anew.
    """
    text = README.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    if os.environ.get("WRITE_README"):
        README.write_text(text[:begin] + table() + text[end:])
        return

    assert text[begin:end] == table()


def test_every_task_is_in_the_readme():
    """The README's table of tasks names each of them."""
    tasks = README.read_text().split("## The tasks")[1].split("##")[0]
    missing = [name for name in ns.task_names if not re.search(rf"\b{name.rsplit('.')[-1]}\b", tasks)]

    assert missing == []


@pytest.mark.parametrize("name", sorted(ns.task_names))
def test_every_task_says_what_it_does_on_one_line_of_the_list(name):
    """The first line of a task's help fits beside its name in 80 columns and ends with a full stop."""
    first = ns[name].__doc__.strip().splitlines()[0]

    assert first.endswith(".")
    assert len(first) + 20 <= 80


def test_the_two_lines_stand_on_the_first_screen():
    """A newcomer sees how to begin without scrolling."""
    first_screen = "\n".join(README.read_text().splitlines()[:24])

    assert (
        "    python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[local]' && .venv/bin/fab deploy\n"
        in first_screen
    )
    assert (
        "    python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[local,test]' && .venv/bin/pytest"
        in first_screen
    )
