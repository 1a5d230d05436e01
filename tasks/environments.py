"""An app's environments: what of the settings file differs in one of them.

`[environments.NAME]` is laid over the rest of the file. Tables only: refuses to know which keys there are.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from tasks.errors import SettingsError

KEY = "environments"
NAME = "environment"
MEANING = "what differs in that environment: any of these keys; `--environment NAME` chooses it"


def common(given: Mapping[str, Any]) -> dict[str, Any]:
    """Give what is set for every environment."""
    return {key: value for key, value in given.items() if key != KEY}


def require_tables(given: Mapping[str, Any]) -> None:
    """Refuse environments that are none.

    :raises SettingsError: one is no table, or names itself.
    """
    tables = given.get(KEY, {})
    if not isinstance(tables, dict):
        raise SettingsError(f"{KEY}: has to be a table of tables, such as [{KEY}.staging]")
    mistakes = [f"{KEY}.{name}: has to be a table" for name, table in tables.items() if not isinstance(table, dict)]
    mistakes += [
        f"{KEY}.{name}.{NAME}: leave it out; it is {name}"
        for name, table in tables.items()
        if isinstance(table, dict) and NAME in table
    ]
    if mistakes:
        raise SettingsError("\n  ".join(["the settings can not be used:", *mistakes]))


def variants(given: Mapping[str, Any], chosen: str) -> dict[str, dict[str, Any]]:
    """Give the settings of every environment, by its name: of the chosen one, and of those that have a table."""
    tables = given.get(KEY, {})
    below = common(given)
    return {name: laid_over(below, tables.get(name, {})) | {NAME: name} for name in dict.fromkeys([chosen, *tables])}


def require_known(name: str, given: Mapping[str, Any], main: str) -> None:
    """Refuse an environment that a file with environments does not have; without any, every name is one.

    :param main: the one that is meant where none is named; it needs no table.
    :raises SettingsError: there is none of that name; says which there are.
    """
    names = list(dict.fromkeys([main, *given.get(KEY, {})]))
    if KEY in given and name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        question = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(
            f"there is no environment {name}{question}",
            advice=f"There are {', '.join(names)}; a table [{KEY}.{name}] in the settings file makes another.",
        )


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one table over another: tables in them likewise, lists and values whole."""
    laid = dict(below)
    for key, value in above.items():
        under = laid.get(key)
        laid[key] = laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return laid
