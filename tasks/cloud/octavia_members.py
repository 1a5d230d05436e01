"""The members of one pool in Octavia, and the two ways to change them: in one batch, or one by one.

A change of a member locks the whole load balancer, with all its pools. Refuses to know what a change is for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tasks.cloud import octavia_bodies
from tasks.cloud.octavia_api import Body, OctaviaApi
from tasks.cloud.parts import in_parts
from tasks.errors import Immutable, NotFound

# Before it a batch deletes every member that it does not name (api-ref, batch update members).
ADDITIVE = "v2.11"

Part = TypeVar("Part")
Change = tuple[Body, Body]


@dataclass(frozen=True, kw_only=True)
class Members:
    """The members of one pool.

    :param refuse_broken: asked when the load balancer takes no change; raises when waiting would not help.
    """

    api: OctaviaApi
    shared_id: str
    pool_id: str
    refuse_broken: Callable[[str], None]

    def listed(self) -> list[Body]:
        """List them all."""
        return self.api.listed(self._path)

    def add(self, bodies: Sequence[Body]) -> None:
        """Add new members: all or none of them, where the API is recent enough.

        :raises Immutable: the load balancer is busy; none was added.
        """
        if self._takes_batches:
            self._send(self._batch, [bodies])
        else:
            self._send(lambda body: self.api.make(self._path, body), bodies)

    def change(self, changes: Sequence[Change]) -> None:
        """Change members as they are found in the list, each to the values given beside it.

        :raises Immutable: the load balancer is busy; nothing was changed.
        """
        if self._takes_batches:
            self._send(self._batch, [[dict(octavia_bodies.again(member)) | values for member, values in changes]])
        else:
            self._send(self._change, changes)

    def remove(self, member_ids: Sequence[str]) -> None:
        """Remove members one by one; those that are gone already are no error.

        :raises Immutable: the load balancer is busy; nothing was changed.
        """
        self._send(self._delete, member_ids)

    @property
    def _path(self) -> str:
        return f"pools/{self.pool_id}/members"

    @property
    def _takes_batches(self) -> bool:
        return ADDITIVE in self.api.versions

    def _batch(self, bodies: Sequence[Body]) -> None:
        self.api.change(self._path, {"members": bodies}, additive_only="true")

    def _change(self, change: Change) -> None:
        member, values = change
        self.api.change(f"{self._path}/{member['id']}", {"member": values})

    def _delete(self, member_id: str) -> None:
        try:
            self.api.delete(f"{self._path}/{member_id}")
        except NotFound:
            return

    def _send(self, change: Callable[[Part], object], parts: Sequence[Part]) -> None:
        def send(part: Part) -> None:
            try:
                change(part)
            except Immutable:
                # Busy and broken are the same 409 (common/exceptions.py, ImmutableObject).
                self.refuse_broken(self.shared_id)
                raise

        in_parts(send, parts, what=f"load balancer {self.shared_id}", clock=self.api.clock)
