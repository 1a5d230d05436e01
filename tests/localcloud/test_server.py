"""The rules of a server that depend on nothing else."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tasks.localcloud.compute.flavors import find_flavor
from tasks.localcloud.compute.images import image_of_this_machine
from tasks.localcloud.compute.refusals import Conflict
from tasks.localcloud.compute.server import RebootType, Server, ServerRequest, TaskState, VmState, hostname_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVER = Server(
    id="an id",
    request=ServerRequest(name="web", image=image_of_this_machine(), flavor=find_flavor("general1-1")),
    name="web",
    private_ip="127.9.2.1",
    reservation_id="r-1",
    metadata={},
    created=NOW,
    updated=NOW,
)


def server(vm_state: VmState, task_state: TaskState | None = None) -> Server:
    """Give a server in a state."""
    return replace(SERVER, vm_state=vm_state, task_state=task_state)


@pytest.mark.parametrize(
    ("vm_state", "task_state", "status"),
    [
        (VmState.BUILDING, TaskState.SCHEDULING, "BUILD"),
        (VmState.BUILDING, TaskState.SPAWNING, "BUILD"),
        (VmState.ACTIVE, None, "ACTIVE"),
        (VmState.ACTIVE, TaskState.REBOOTING, "REBOOT"),
        (VmState.ACTIVE, TaskState.REBOOTING_HARD, "HARD_REBOOT"),
        (VmState.ACTIVE, TaskState.DELETING, "ACTIVE"),
        (VmState.STOPPED, None, "SHUTOFF"),
        (VmState.STOPPED, TaskState.REBOOTING_HARD, "SHUTOFF"),
        (VmState.ERROR, None, "ERROR"),
        (VmState.DELETED, None, "DELETED"),
    ],
)
def test_status_follows_from_both_states(vm_state: VmState, task_state: TaskState | None, status: str):
    """A server's status is made of vm_state and task_state (nova/api/openstack/common.py, _STATE_MAP)."""
    assert server(vm_state, task_state).status == status


def test_every_vm_state_has_a_status():
    """There is no state that users would not see a status of."""
    assert all(server(state).status for state in VmState)


@pytest.mark.parametrize(
    ("kind", "vm_state", "task_state"),
    [
        (RebootType.SOFT, VmState.ACTIVE, None),
        (RebootType.HARD, VmState.ACTIVE, None),
        (RebootType.HARD, VmState.ACTIVE, TaskState.REBOOTING),
        (RebootType.HARD, VmState.STOPPED, None),
        (RebootType.HARD, VmState.ERROR, None),
    ],
)
def test_reboots_that_are_allowed(kind: RebootType, vm_state: VmState, task_state: TaskState | None):
    """SOFT works on an active server, HARD also on one that is stopped, in error or stuck in a soft reboot."""
    server(vm_state, task_state).check_reboot(kind)


@pytest.mark.parametrize(
    ("kind", "vm_state", "task_state", "seen"),
    [
        (RebootType.SOFT, VmState.BUILDING, TaskState.SPAWNING, "vm_state building"),
        (RebootType.SOFT, VmState.STOPPED, None, "vm_state stopped"),
        (RebootType.SOFT, VmState.ERROR, None, "vm_state error"),
        (RebootType.SOFT, VmState.ACTIVE, TaskState.REBOOTING, "task_state rebooting"),
        (RebootType.HARD, VmState.BUILDING, TaskState.SPAWNING, "vm_state building"),
        (RebootType.HARD, VmState.ACTIVE, TaskState.DELETING, "task_state deleting"),
        (RebootType.HARD, VmState.ACTIVE, TaskState.REBOOTING_HARD, "task_state rebooting_hard"),
    ],
)
def test_reboots_that_are_refused(kind: RebootType, vm_state: VmState, task_state: TaskState | None, seen: str):
    """Any other state is a conflict that names what stands in the way (api-ref, servers, reboot: 409)."""
    with pytest.raises(Conflict, match=f"^Cannot 'reboot' instance an id while it is in {seen}$"):
        server(vm_state, task_state).check_reboot(kind)


@pytest.mark.parametrize("vm_state", [VmState.BUILDING, VmState.ERROR, VmState.DELETED])
def test_metadata_is_fixed_while_a_server_is_not_up(vm_state: VmState):
    """Metadata changes only while a server is active or stopped (nova/compute/api.py, update_instance_metadata)."""
    with pytest.raises(Conflict):
        server(vm_state).check_metadata_change("update metadata")


@pytest.mark.parametrize(
    ("name", "hostname"),
    [
        ("web-1", "web-1"),
        ("Web Server_1", "web-server-1"),
        ("web.example.com", "web-example-com"),
        ("größe", "gre"),
        ("...", ""),
        ("x" * 80, "x" * 63),
    ],
)
def test_hostnames_are_made_of_names(name: str, hostname: str):
    """A host name keeps what is legal of the server's name (nova/utils.py, sanitize_hostname)."""
    assert hostname_of(name) == hostname
