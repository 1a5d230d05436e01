"""What a local cloud needs of this machine, looked at without starting one."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.localcloud.network import CLAIM_PORT
from tasks.localcloud.prerequisites import addresses, load_balancer

ROOT = Path(__file__).parents[2]


@pytest.fixture
def taken():
    """Give a port that somebody listens on at every address."""
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))  # every loopback address is meant
        listening.listen(1)
        yield listening.getsockname()[1]


def test_a_port_that_is_taken_everywhere_is_told(taken: int):
    """No server and no load balancer could listen on it; what to do is said."""
    (network, port) = addresses([taken])

    assert network.ok
    assert (port.ok, port.what) == (False, f"port {taken}")
    assert str(taken) in port.remedy


def test_looking_leaves_the_addresses_free():
    """The network that was claimed to look is given back, and so are its ports."""
    network, port = addresses([2222])
    address = network.seen.split()[0]
    api = f"{address.rpartition('.1.')[0]}.0.1"

    assert port.ok
    with socket.socket() as again:
        again.bind((api, CLAIM_PORT))
    with socket.socket() as again:
        again.bind((address, 2222))


def test_envoy_says_its_version():
    """It is run, so that one made for another machine is found out."""
    found = load_balancer()

    assert found.ok, found.seen
    assert found.seen[0].isdigit()


def test_the_program_tells_all_of_it_for_programs(tmp_path: Path):
    """`doctor --json` starts no cloud, and has a line for each thing, in order."""
    command = [sys.executable, "-m", "tasks.localcloud", "doctor", "--json", "--port", "2222"]
    ran = subprocess.run(
        [*command, "--state-dir", str(tmp_path / "state")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)

    assert [one["what"] for one in told] == ["namespaces", "envoy", "loopback addresses", "port 2222"]
    assert all(set(one) == {"what", "ok", "seen", "remedy"} for one in told)
    assert not (tmp_path / "state").exists()
