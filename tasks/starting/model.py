"""What is known about an app whose files were looked at. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

BIND = '"$PRIVATE_IP:$NODE_PORT"'
"""Where nodes are, as a shell writes it: a server's app listens on its private IP."""
SERVER_SETTINGS = "settings_servers"
"""The module of a Django site's settings on servers, where its own do not suit them."""
SERVER_REQUIREMENTS = "requirements-servers.txt"
NODE_SCRIPT = "70-node.sh"


class Kind(StrEnum):
    """What an app was recognised as; the value is how it is called."""

    DJANGO = "a Django site"
    WSGI = "a WSGI app"
    ASGI = "an ASGI app"
    NODE = "a Node app"
    PROCFILE = "an app with a Procfile"
    COMMAND = "an app with a start command"


@dataclass(frozen=True, kw_only=True)
class App:
    """An app as its files show it.

    :param seen: what it was recognised by.
    :param processes: name → command line; run on every server.
    :param requirements: its pip requirements file; "" when it has none.
    :param files: what has to be added to its folder, name → text.
    :param scripts: bootstrap scripts that it needs beside those for every app.
    :param advice: what somebody has to see to before a deploy can succeed.
    """

    kind: Kind
    seen: str
    processes: Mapping[str, str]
    migrate: str = ""
    test: str = ""
    requirements: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    check_path: str = "/"
    check_host: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    scripts: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()
