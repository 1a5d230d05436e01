"""The shapes of what can be done to a server by `POST /servers/{id}/action`.

Facts: nova/api/openstack/compute/schemas/{servers,console_output}.py.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tasks.localcloud.api.bodies import Body
from tasks.localcloud.api.compute.server_bodies import Metadata


class _Reboot(Body):
    type: Literal["SOFT", "HARD", "soft", "hard", "Soft", "Hard"]


class RebootBody(Body):
    """`POST /servers/{id}/action`, reboot."""

    reboot: _Reboot


class _Console(Body):
    length: Annotated[int, Field(ge=-1)] | Annotated[str, StringConstraints(pattern=r"^-?[0-9]+$")] | None = None


class ConsoleBody(Body):
    """`POST /servers/{id}/action`, os-getConsoleOutput; -1 and no length at all mean everything."""

    console: _Console = Field(alias="os-getConsoleOutput")

    def lines(self) -> int | None:
        """Give the number of lines asked for, None for all."""
        length = None if self.console.length is None else int(self.console.length)
        return None if length is None or length < 0 else length


class _NewImage(Body):
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    metadata: Metadata = Field(default_factory=dict)


class CreateImageBody(Body):
    """`POST /servers/{id}/action`, createImage."""

    wanted: _NewImage = Field(alias="createImage")
