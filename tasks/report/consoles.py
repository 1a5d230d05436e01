"""Where output goes: a terminal with colours, or plain lines in CI and pipes. `NO_COLOR` is respected."""

from __future__ import annotations

import os
import sys

from rich.console import Console

PLAIN_WIDTH = 200


def terminal() -> Console:
    """Give the console for standard output. In CI it is not taken for a terminal, whatever it says of itself."""
    if os.environ.get("CI") or not sys.stdout.isatty():
        return Console(soft_wrap=True, width=PLAIN_WIDTH, force_terminal=False, no_color=True)
    return Console()
