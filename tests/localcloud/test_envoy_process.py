"""Envoy as a process: it starts or says why not, and never outlives whoever started it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from tasks.localcloud.proxy.envoy import Envoy, EnvoyRefused
from tasks.localcloud.proxy.process import EnvoyDown, EnvoyProcess, until
from tests.localcloud.traffic import eventually

pytestmark = pytest.mark.anyio

PARENT = """
import asyncio, pathlib, sys
from tasks.localcloud.proxy.envoy import Envoy

async def main():
    envoy = Envoy(pathlib.Path(sys.argv[1]))
    await envoy.start()
    print(envoy.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def anyio_backend():
    """Run on asyncio."""
    return "asyncio"


def is_running(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_closing_leaves_no_process_and_no_file(tmp_path):
    """After `close` the directory is gone and so is the process; closing again is harmless."""
    envoy = Envoy(tmp_path / "balancers")
    await envoy.start()
    pid = envoy.pid
    assert is_running(pid)

    await envoy.close()
    await envoy.close()

    assert not is_running(pid)
    assert list(tmp_path.iterdir()) == []


async def test_closing_what_never_started_is_harmless(tmp_path):
    """A daemon that failed early can close everything all the same."""
    await Envoy(tmp_path / "balancers").close()

    assert list(tmp_path.iterdir()) == []


async def test_only_the_owner_can_reach_the_admin_socket(tmp_path):
    """The directory has mode 0700 and the socket 0600: who can reach it owns the proxy."""
    envoy = Envoy(tmp_path / "balancers")
    await envoy.start()
    try:
        assert (tmp_path / "balancers").stat().st_mode & 0o777 == 0o700
        assert (tmp_path / "balancers" / "admin.sock").stat().st_mode & 0o777 == 0o600
    finally:
        await envoy.close()


async def test_a_long_state_directory_is_no_obstacle(tmp_path):
    """A unix socket's path may have 107 bytes; the directory's may have more."""
    envoy = Envoy(tmp_path / ("long" * 40))
    await envoy.start()
    await envoy.close()


async def test_envoy_dies_with_its_parent(tmp_path):
    """When the daemon is killed the hard way, Envoy is killed by the kernel."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path / "balancers"), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    async def gone() -> bool:
        return not is_running(pid)

    await eventually(gone)


async def test_a_start_that_fails_says_why(tmp_path):
    """The error has the exit status and what Envoy's log says of it."""
    process = EnvoyProcess(tmp_path)
    (tmp_path / "bootstrap.json").write_text('{"no_such_field": 1}')

    async def never_live() -> bool:
        return False

    with pytest.raises(EnvoyDown, match=r"ended with status 1\n.*critical.*no_such_field") as failure:
        await process.start(never_live)

    assert failure.value.directory == tmp_path


async def test_a_dead_envoy_refuses_changes(tmp_path):
    """When Envoy has been killed, a change is refused with a reason instead of waiting."""
    envoy = Envoy(tmp_path / "balancers")
    await envoy.start()
    os.kill(envoy.pid, signal.SIGKILL)

    async def gone() -> bool:
        return not is_running(envoy.pid)

    await eventually(gone)
    with pytest.raises(EnvoyRefused, match="does not answer"):
        await envoy.withdraw("web")
    await envoy.close()


async def test_waiting_has_a_deadline():
    """A condition that never holds is a TimeoutError, not a hang."""

    async def never() -> bool:
        return False

    with pytest.raises(TimeoutError):
        await until(never, seconds=0.02)
