"""Asking the person at the terminal, who may just press Enter. Where there is no terminal, nobody is asked."""

from __future__ import annotations

import sys


def is_somebody_there() -> bool:
    """Say whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str, suggested: str = "") -> str:
    """Ask, and give the answer, or what was suggested; Ctrl-D is an empty answer."""
    shown = f" [{suggested}]" if suggested else ""
    try:
        return input(f"{question}{shown}: ").strip() or suggested
    except EOFError:
        return suggested
