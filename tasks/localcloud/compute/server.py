"""A server as compute sees it: values and the rules that depend on nothing else.

Facts: nova/compute/{vm_states,task_states,power_state}.py, nova/api/openstack/common.py (_STATE_MAP).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from tasks.localcloud.compute.flavors import Flavor
from tasks.localcloud.compute.images import Image
from tasks.localcloud.compute.keypairs import Keypair
from tasks.localcloud.compute.refusals import Conflict


class VmState(StrEnum):
    """What a server is, apart from what is being done to it."""

    BUILDING = "building"
    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"
    DELETED = "deleted"


class TaskState(StrEnum):
    """What is being done to a server."""

    SCHEDULING = "scheduling"
    SPAWNING = "spawning"
    REBOOTING = "rebooting"
    REBOOTING_HARD = "rebooting_hard"
    POWERING_OFF = "powering-off"
    POWERING_ON = "powering-on"
    IMAGE_SNAPSHOT = "image_snapshot"
    DELETING = "deleting"


class PowerState(IntEnum):
    """What the hypervisor says of a machine."""

    NOSTATE = 0
    RUNNING = 1
    SHUTDOWN = 4


class RebootType(StrEnum):
    """SOFT asks the server to reboot itself, HARD cuts its power."""

    SOFT = "SOFT"
    HARD = "HARD"


_STATUSES = {
    VmState.BUILDING: "BUILD",
    VmState.ACTIVE: "ACTIVE",
    VmState.STOPPED: "SHUTOFF",
    VmState.ERROR: "ERROR",
    VmState.DELETED: "DELETED",
}
_STATUSES_OF_ACTIVE = {TaskState.REBOOTING: "REBOOT", TaskState.REBOOTING_HARD: "HARD_REBOOT"}
_POWER = {VmState.ACTIVE: PowerState.RUNNING, VmState.STOPPED: PowerState.SHUTDOWN}
_REBOOTABLE = {
    RebootType.SOFT: {VmState.ACTIVE},
    RebootType.HARD: {VmState.ACTIVE, VmState.STOPPED, VmState.ERROR},
}
_SETTLED = {VmState.ACTIVE, VmState.STOPPED}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why a server is in ERROR."""

    code: int
    message: str
    created: datetime


@dataclass(frozen=True, kw_only=True)
class ServerRequest:
    """What somebody wants a server to be; checked already. `personality` maps paths to contents."""

    name: str
    image: Image
    flavor: Flavor
    key: Keypair | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    personality: Mapping[str, bytes] = field(default_factory=dict)
    user_data: bytes | None = None
    config_drive: bool = False
    security_groups: tuple[str, ...] = ("default",)
    disk_config: str = "MANUAL"
    description: str | None = None
    tags: tuple[str, ...] = ()
    hostname: str | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Server:
    """One server at one moment."""

    id: str
    request: ServerRequest
    name: str
    private_ip: str
    reservation_id: str
    metadata: Mapping[str, str]
    created: datetime
    updated: datetime
    launched: datetime | None = None
    deleted: datetime | None = None
    vm_state: VmState = VmState.BUILDING
    task_state: TaskState | None = TaskState.SCHEDULING
    fault: Fault | None = None

    @property
    def status(self) -> str:
        """What users look at: made of vm_state and task_state."""
        if self.vm_state is VmState.ACTIVE and self.task_state in _STATUSES_OF_ACTIVE:
            return _STATUSES_OF_ACTIVE[self.task_state]
        return _STATUSES[self.vm_state]

    @property
    def power_state(self) -> PowerState:
        """Whether the machine runs."""
        return _POWER.get(self.vm_state, PowerState.NOSTATE)

    @property
    def hostname(self) -> str:
        """What the server calls itself: chosen from 2.90 on, else made of its name."""
        return self.request.hostname or hostname_of(self.name) or f"server-{self.id}"

    def check_reboot(self, kind: RebootType) -> None:
        """Refuse a reboot that Nova would refuse (nova/compute/api.py, reboot).

        :raises Conflict: the state does not allow it, or another task is under way.
        """
        if self.vm_state not in _REBOOTABLE[kind]:
            self._conflict("reboot", f"vm_state {self.vm_state}")
        repeated_hard = kind is RebootType.HARD and self.task_state is TaskState.REBOOTING
        if self.task_state is not None and not repeated_hard:
            self._conflict("reboot", f"task_state {self.task_state}")

    def check_metadata_change(self, verb: str) -> None:
        """Refuse to change metadata when Nova would (nova/compute/api.py, update_instance_metadata).

        :raises Conflict: it is being built or deleted, is in ERROR, or another task is under way.
        """
        self._expect(verb, _SETTLED)

    def check_stop(self) -> None:
        """Refuse to stop what Nova would not stop (nova/compute/api.py, stop).

        :raises Conflict: it is off already or being built, or another task is under way.
        """
        self._expect("stop", {VmState.ACTIVE, VmState.ERROR})

    def check_start(self) -> None:
        """Refuse to start what is not off (nova/compute/api.py, start).

        :raises Conflict: it is in another state, or another task is under way.
        """
        self._expect("start", {VmState.STOPPED})

    def check_snapshot(self) -> None:
        """Refuse to make an image of what has no settled disk (nova/compute/api.py, snapshot).

        :raises Conflict: it is being built, is in ERROR, or another task is under way.
        """
        self._expect("createImage", _SETTLED)

    def check_tags_change(self) -> None:
        """Refuse to change tags while the server is built or in ERROR (nova/api/openstack/compute/server_tags.py).

        :raises Conflict: it is.
        """
        if self.vm_state not in _SETTLED:
            raise Conflict(f"Server {self.id} is not in a state that allows tags to change: vm_state {self.vm_state}")

    def _expect(self, verb: str, vm_states: set[VmState]) -> None:
        if self.vm_state not in vm_states:
            self._conflict(verb, f"vm_state {self.vm_state}")
        if self.task_state is not None:
            self._conflict(verb, f"task_state {self.task_state}")

    def _conflict(self, verb: str, state: str) -> None:
        raise Conflict(f"Cannot '{verb}' instance {self.id} while it is in {state}")


def hostname_of(name: str) -> str:
    """Make a host name of a server's name (nova/utils.py, sanitize_hostname); may be empty."""
    spelled = re.sub(r"[ _.]", "-", name.encode("ascii", "ignore").decode())
    kept = re.sub(r"[^\w-]+", "", spelled).lower().strip("-")
    return kept[:63].rstrip("-")
