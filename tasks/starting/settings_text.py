"""The text of a new deploy.toml: what differs from the defaults is set, what people ask for next stands as a comment.

What a key means is taken from the settings themselves, and nowhere written again. A line `# key = …` is a setting as
soon as its # is gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.plain import line
from tasks.settings import LOCAL, Section, Settings
from tasks.starting.model import App

_HEAD = """\
# What `fab deploy` has to know about {name}, {kind}.
# Written by `fab init`, which saw {seen}.
#
# A key that is left out keeps its default; the README of disposable-servers
# has all of them. Mistakes are told before anything is done: try `fab plan`.
"""
_TAIL = """\

# What differs in another environment: `fab deploy --environment staging`.
# [environments.staging]
# count = 1
"""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the app is, and is to run.

    :param source: its folder, as seen from the settings file.
    :param scripts: the folder of bootstrap scripts of its own; "" = those for every app.
    """

    name: str
    source: str = "."
    scripts: str = ""
    cloud: str = LOCAL
    image: str = ""
    flavor: str = ""


def settings_text(app: App, where: Where) -> str:
    """Give the text of a deploy.toml."""
    head = _HEAD.format(name=line(where.name), kind=app.kind, seen=line(app.seen))
    return head + "".join(_lines(app, where)) + _TAIL


def _lines(app: App, where: Where) -> Iterator[str]:
    yield _key("app", where.name)
    yield _key("environment", "production")
    yield _key("cloud", where.cloud, hint="acme")
    yield _key("count", 2)
    yield _key("node_port", 8000)
    yield _key("secrets", [], hint=["DATABASE_URL"])
    if where.scripts:
        yield _key("bootstrap_scripts", where.scripts)
    yield _table("source", {"path": where.source, "requirements": app.requirements})
    yield _table("commands", {"migrate": app.migrate, "test": app.test})
    yield _table("check", {"path": app.check_path, "host": app.check_host, "status": 200})
    yield _free_table("processes", app.processes)
    yield _free_table("env", app.env)
    yield _server(where)


def _server(where: Where) -> str:
    if where.cloud != LOCAL:
        return _table("server", {"image": where.image, "flavor": where.flavor})
    return (
        "\n# What servers are made of; a cloud of yours has to be told.\n"
        '# [server]\n# image = "Debian 12"\n# flavor = "general1-2"\n'
    )


def _table(name: str, values: Mapping[str, Any]) -> str:
    return f"\n[{name}]" + "".join(_key(f"{name}.{key}", value) for key, value in values.items())


def _free_table(name: str, values: Mapping[str, str]) -> str:
    lines = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
    return f"\n# {_sentence(Settings.model_fields[name].description)}\n[{name}]\n{lines}" if values else ""


def _key(path: str, value: Any, hint: Any = None) -> str:
    """Give a key with its meaning: as a comment, if its value is the default."""
    field = _field(path)
    key = path.rpartition(".")[2]
    is_default = _plain(field.default) == value
    shown = hint if is_default and hint is not None else value
    return f"\n# {_sentence(field.description)}\n{'# ' if is_default else ''}{key} = {_toml(shown)}\n"


def _field(path: str) -> Any:
    section: type[Section] = Settings
    *above, key = path.split(".")
    for part in above:
        section = section.model_fields[part].annotation  # type: ignore[assignment]  # sections are annotated by their class
    return section.model_fields[key]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _sentence(description: str | None) -> str:
    text = description or ""
    return f"{text[:1].upper()}{text[1:]}."


def _toml(value: Any) -> str:
    """Give a value as TOML: text with quotes in it as a literal, so that it reads as it is run."""
    if isinstance(value, str) and '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return json.dumps(value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # the one control character that JSON allows
