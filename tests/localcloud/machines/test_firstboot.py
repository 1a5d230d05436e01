"""Host keys and files of a first boot, in a server that is a folder."""

import os
import shutil
import subprocess

import asyncssh
import pytest

from tasks.localcloud.machines import console, firstboot
from tasks.localcloud.machines.place import Place
from tasks.localcloud.machines.spec import MachineSpec


@pytest.fixture
def spec(tmp_path):
    """Describe a server."""
    return MachineSpec(
        id="1", hostname="web-1", private_ip="127.9.9.9", ssh_port=22, authorized_keys=(), shared=tmp_path
    )


@pytest.fixture
def place(tmp_path):
    """Make an empty root."""
    for name in ("root", "run", "etc"):
        (tmp_path / name).mkdir()
    return Place(root=tmp_path, environment={"PATH": os.environ["PATH"]})


def test_host_keys_stay_the_same(spec, place):
    """Keys are made once: the next boot has the same, and the private ones are for root only."""
    first = firstboot.host_keys(spec, place, None)
    again = firstboot.host_keys(spec, place, None)

    assert [key.get_fingerprint() for key in again] == [key.get_fingerprint() for key in first]
    assert [key.get_algorithm() for key in first] == ["ecdsa-sha2-nistp256", "ssh-ed25519"]
    assert place.at("/etc/ssh/ssh_host_ed25519_key").stat().st_mode & 0o777 == 0o600


def test_given_host_keys_are_the_only_ones(spec, place):
    """With ssh_keys in user data no others are made (cloud-init, cc_ssh)."""
    given = asyncssh.generate_private_key("ssh-rsa")

    [key] = firstboot.host_keys(spec, place, {"rsa_private": given.export_private_key().decode()})

    assert key.get_fingerprint() == given.get_fingerprint()


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="there is no ssh-keygen to compare with")
@pytest.mark.parametrize("algorithm", ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"])
def test_fingerprints_are_ssh_keygens(tmp_path, capsys, algorithm):
    """The fingerprints on the console have the form of `ssh-keygen -l`, which cloud-init uses."""
    key = asyncssh.generate_private_key(algorithm, comment="root@web-1")
    key.write_public_key(tmp_path / "key.pub")

    console.show_host_keys([key])

    listed = subprocess.run(["ssh-keygen", "-lf", tmp_path / "key.pub"], capture_output=True, text=True, check=True)
    assert f" cloud-init: {listed.stdout.strip()}\n" in capsys.readouterr().err


def test_an_act_is_first_once(place):
    """What a first boot does is begun once, also when it was cut off."""
    assert firstboot.is_first(place, "personality")
    assert not firstboot.is_first(place, "personality")


def test_wrong_user_data_is_told_and_does_not_stop_the_boot(spec, place, capsys):
    """A #cloud-config that cannot be read is on the console, and the server comes up without it."""
    wrong = MachineSpec(**{**vars(spec), "user_data": b"#cloud-config\n- list\n"})

    assert firstboot.apply_user_data(wrong, place).script is None
    assert "failed at loading #cloud-config" in capsys.readouterr().err
