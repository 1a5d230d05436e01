"""What is kept in the state folder: the deploy's key, and the host keys of servers."""

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.errors import SettingsError
from tasks.hosts.console_keys import HostKey
from tasks.hosts.keys import deploy_key
from tasks.hosts.known_hosts import KnownHosts, name_of
from tests.hosts.test_console_keys import ED25519

KEY = HostKey(type="ssh-ed25519", text=ED25519)


def test_the_deploy_key_is_made_once(tmp_path):
    """The key is made at the first use, even of several processes at once, and stays the same."""
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: deploy_key(tmp_path / "keys"), range(8)))

    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["id_ed25519"]


def test_the_deploy_key_is_private(tmp_path):
    """Nobody but its owner can read the key, and OpenSSH's own tools can use it."""
    key = deploy_key(tmp_path / "keys")
    public = subprocess.run(["ssh-keygen", "-y", "-f", key.path], check=True, capture_output=True, text=True).stdout

    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.path.parent.stat().st_mode) == 0o700
    assert key.public_line.split()[:2] == public.split()[:2]


def test_a_broken_deploy_key_is_not_replaced(tmp_path):
    """A file that holds no key is a mistake for a person to look at, not to be overwritten."""
    (tmp_path / "id_ed25519").write_text("broken")

    with pytest.raises(SettingsError, match="id_ed25519 cannot be used"):
        deploy_key(tmp_path)

    assert (tmp_path / "id_ed25519").read_text() == "broken"


def test_several_writers_lose_nothing(tmp_path):
    """Host keys that several deploys record at once are all kept."""
    path = tmp_path / "state" / "known_hosts"
    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            pool.submit(KnownHosts(path).record, f"10.0.0.{number}", f"id-{number}", (KEY,))

    assert [KnownHosts(path).keys(f"10.0.0.{number}", f"id-{number}") for number in range(40)] == [(KEY,)] * 40
    assert [it.name for it in path.parent.iterdir()] == ["known_hosts"]


def test_an_address_has_the_keys_of_its_last_server(tmp_path):
    """A server that takes over an address takes over its lines; other addresses keep theirs."""
    known = KnownHosts(tmp_path / "known_hosts")
    for address, server in (("10.0.0.1", "old"), ("10.0.0.11", "other"), ("10.0.0.1", "new")):
        known.record(address, server, (KEY,))

    assert known.keys("10.0.0.1", "old") == ()
    assert known.keys("10.0.0.1", "new") == known.keys("10.0.0.11", "other") == (KEY,)


def test_ports_are_written_as_ssh_writes_them():
    """Only a port other than 22 is a part of a host's name."""
    assert (name_of("10.0.0.1", 22), name_of("10.0.0.1", 2222)) == ("10.0.0.1", "[10.0.0.1]:2222")
