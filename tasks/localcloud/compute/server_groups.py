"""Server groups: names under which servers are created, and what is to be kept apart or together.

There is one machine, so a policy is kept and shown, and every server is placed on it all the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.localcloud.compute.refusals import Forbidden, NotFound


@dataclass(frozen=True, kw_only=True)
class ServerGroup:
    """A group; which servers are in it, they say themselves."""

    id: str
    name: str
    policy: str
    rules: Mapping[str, int] = field(default_factory=dict)


class ServerGroups:
    """The groups of the project."""

    def __init__(self) -> None:
        self._groups: dict[str, ServerGroup] = {}

    def all(self) -> list[ServerGroup]:
        """Give every group, oldest first."""
        return list(self._groups.values())

    def find(self, group_id: str) -> ServerGroup:
        """Give one group.

        :raises NotFound: there is none of this id.
        """
        try:
            return self._groups[group_id]
        except KeyError:
            raise NotFound(f"Instance group {group_id} could not be found.") from None

    def add(self, name: str, policy: str, rules: Mapping[str, int], most: int) -> ServerGroup:
        """Make a group.

        :raises Forbidden: there are as many as the quota's `most` already.
        """
        if len(self._groups) >= most:
            raise Forbidden("Quota exceeded, too many server groups.")
        group = ServerGroup(id=str(uuid.uuid4()), name=name, policy=policy, rules=dict(rules))
        self._groups[group.id] = group
        return group

    def remove(self, group_id: str) -> None:
        """Forget a group; its servers stay.

        :raises NotFound: there is none of this id.
        """
        del self._groups[self.find(group_id).id]
