"""The ids that a cloud gives to what it has. Each becomes a part of a path, and of a line in a file of host keys.

Refuses to know what has the id. What is not shaped like one could name something else on the way: "../flavors/7".
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}")


def read(said: object) -> str:
    """Give an id, which a cloud says as a number or a text.

    :raises ValueError: it is none.
    """
    text = str(said)
    if not isinstance(said, str | int) or not _ID.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is no id")
    return text


def leads_elsewhere(url: str) -> bool:
    """Say whether a URL has parts that clients and proxies would follow to another place than it seems to name."""
    path = unquote(urlsplit(url).path)
    return bool({".", ".."} & set(path.split("/"))) or not url.isprintable() or "\\" in path
