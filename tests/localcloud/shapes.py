"""The shape of an answer as a table of fields and types, and how an answer differs from such a table.

A field is written `name type`, one to a line, indented below the object or list it belongs to. `?` behind a name says
that the field may be absent; a time is a text of whole seconds with Z, or with a zone.
"""

import re
from collections.abc import Iterator
from typing import Any

_KINDS = {dict: "object", list: "array", str: "string", int: "int", bool: "bool", float: "float"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)")

Table = dict[str, tuple[str, bool]]


def table(text: str) -> Table:
    """Read a table: path of each field to its type and whether it may be absent."""
    fields: Table = {}
    above: list[str] = []
    for line in filter(str.strip, text.splitlines()):
        name, kind = line.split()
        depth = (len(line) - len(line.lstrip())) // 4
        above[depth:] = [name.rstrip("?")]
        fields[".".join(above)] = (kind, name.endswith("?"))
    return fields


def differences(answer: Any, documented: Table) -> list[str]:
    """Give what an answer has that is not documented, lacks that is, or has in another type."""
    found = dict(_fields(answer, ""))
    unknown = [f"{path} is not documented" for path in found if path not in documented]
    missing = [
        f"{path} is missing"
        for path, (_, may_be_absent) in documented.items()
        if path not in found and not may_be_absent and _has_parent(path, found)
    ]
    wrong = [
        f"{path} is {found[path]}, not {kind}"
        for path, (kind, _) in documented.items()
        if path in found and found[path] != kind
    ]
    return unknown + missing + wrong


def _has_parent(path: str, found: dict[str, str]) -> bool:
    """Say whether there is anything that could have the field: an empty list has none of its items' fields."""
    parent = path.rpartition(".")[0]
    return not parent or found.get(parent) == "object" or any(other.startswith(f"{parent}.") for other in found)


def _fields(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if path:
        yield path, _kind(value)
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _fields(inner, f"{path}.{name}" if path else name)
    if isinstance(value, list):
        for item in value:
            yield from (field for field in _fields(item, path) if field[0] != path)


def _kind(value: Any) -> str:
    if isinstance(value, str) and _TIME.fullmatch(value):
        return "time"
    return _KINDS.get(type(value), type(value).__name__)
