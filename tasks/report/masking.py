"""Settings as they may be written down: what opens a door is masked, by its name, its look or its value.

The values of `secrets` are not among the settings at all. But people also put a password into `env`, a token into a
command, or a webhook that whoever knows it can use.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from tasks.settings import Settings

MASK = "********"
_TELLING = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api_?key|[_-]key$|credential|webhook|notify|dsn$", re.IGNORECASE
)
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):[^/\s@]+(?=@)")
_NAMED = r"[\w-]*(?:pass(?:word|wd|phrase)?|secret|token|key|credentials?)"
_ASSIGNED = re.compile(
    rf"(?i)(authorization:\s*(?:(?:bearer|basic|token)\s+)?|--{_NAMED}[=\s]\s*|\b{_NAMED}[=:]\s*|(?<=\s-u )[^\s:]+:)"
    r"(?!\*)[^\s\"'$;&|]+"
)
_SHORTEST = 4
"""Shorter values would mask letters all over the place."""
_PUBLIC = frozenset({"secrets", "passphrase_env", "notify_env", "key_file"})
"""Settings whose names look telling, and whose values are names."""


def masked(settings: Settings) -> dict[str, Any]:
    """Give all settings as JSON values, those that open doors masked."""
    values = [value.get_secret_value() for value in _secret_values(settings)]
    hidden = sorted((value for value in values if len(value) >= _SHORTEST), key=len, reverse=True)
    shown = _masked(settings.model_dump(mode="json"), hidden)
    return dict(shown)


def _secret_values(settings: Settings) -> Collection[Any]:
    from tasks.errors import SettingsError

    try:
        return settings.secret_values().values()
    except SettingsError:  # whoever needs them says so; there is nothing to hide
        return ()


def _masked(value: Any, hidden: Collection[str], name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _masked(below, hidden, str(key)) for key, below in value.items()}
    if name and name not in _PUBLIC and value and _TELLING.search(name):
        return MASK
    if isinstance(value, list):
        return [_masked(below, hidden) for below in value]
    return _text(value, hidden) if isinstance(value, str) else value


def _text(text: str, hidden: Collection[str]) -> str:
    for value in hidden:
        text = text.replace(value, MASK)
    return _ASSIGNED.sub(rf"\1{MASK}", _IN_URL.sub(rf"\1:{MASK}", text))
