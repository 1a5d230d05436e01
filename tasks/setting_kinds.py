"""The kinds of values that settings have: what such a value looks like, and what is said of one that does not."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints

# App, environment, generation and slot make a server's name, which is a host name: 63 characters at most.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,18}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\r\n]*$")]


def _batch(given: object) -> object:
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    if isinstance(given, str) and re.fullmatch(r"([1-9][0-9]?|100)%", given, re.ASCII):
        return given
    raise ValueError(
        f'batches: {given!r} is neither a number of servers, such as 2, nor a share of them, such as "25%"'
    )


def _growing(batches: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Refuse what shrinks: a number after a greater one, a share after a greater one."""
    for kind in (int, str):
        sizes = [int(str(batch).rstrip("%")) for batch in batches if isinstance(batch, kind)]
        if sizes != sorted(set(sizes)):
            listed = ", ".join(map(str, batches))
            raise ValueError(f"batches: each has to be greater than the one before, and these are not: {listed}")
    return batches


def _standby(given: object) -> object:
    if re.fullmatch(r"0|[1-9][0-9]{0,5}[smhd]|until next deploy", str(given), re.ASCII):
        return str(given)
    raise ValueError(
        f'standby: {given!r} is neither a time, such as "90s", "30m", "12h" or "2d", nor "until next deploy"'
    )


def webhook(given: SecretStr) -> SecretStr:
    """Refuse what is no address, without telling it: it may be one with a slip in it."""
    if given.get_secret_value() and not re.fullmatch(r"https?://[!-~]+", given.get_secret_value(), re.ASCII):
        raise ValueError("notify: has to be a URL that begins with https:// or http://")
    return given


Webhook = Annotated[SecretStr, AfterValidator(webhook)]
Batches = Annotated[tuple[Annotated[int | str, BeforeValidator(_batch)], ...], AfterValidator(_growing)]
Standby = Annotated[str, BeforeValidator(_standby)]
