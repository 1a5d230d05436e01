"""The files of a local cloud."""

import os
import stat
from pathlib import Path

import pytest
import yaml

from tasks.localcloud.state import Access, ForeignDirectory, StateDirectory, default_directory

ACCESS = Access(
    region="ORD",
    username="local",
    api_key="an api key",
    password="a password",
    project="123456",
    auth_url_v2="http://127.9.0.1:5000/identity/v2.0",
    auth_url_v3="http://127.9.0.1:5000/identity/v3",
    control_url="http://127.9.0.1:5000/control",
    control_token="a control token",
)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    """Claim a state directory."""
    directory = StateDirectory(path=tmp_path / "state")
    directory.claim()
    return directory


def mode(path: Path) -> int:
    """Give the permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_look_inside(state: StateDirectory):
    """The directory has mode 0700 and the files with credentials 0600."""
    state.publish(ACCESS)

    assert mode(state.path) == 0o700
    assert {mode(path) for path in (state.record, state.clouds_yaml, state.lock)} == {0o600}


def test_clouds_yaml_has_an_entry_local(state: StateDirectory):
    """clouds.yaml describes the cloud as `local`, with a v3 password, project and region."""
    state.publish(ACCESS)
    entry = yaml.safe_load(state.clouds_yaml.read_text())["clouds"]["local"]

    assert entry["auth_type"] == "v3password"
    assert entry["auth"]["auth_url"] == ACCESS.auth_url_v3
    assert entry["auth"]["project_name"] == "123456"
    assert entry["region_name"] == "ORD"
    assert entry["identity_api_version"] == 3


def test_the_record_is_read_as_it_was_written(state: StateDirectory):
    """What was published can be read back whole."""
    state.publish(ACCESS)

    assert state.access() == ACCESS


def test_secrets_do_not_show_in_repr():
    """Printing how to reach a cloud shows neither its password nor its API key."""
    assert "a password" not in repr(ACCESS)
    assert "an api key" not in repr(ACCESS)


def test_somebody_elses_directory_is_not_used(tmp_path: Path):
    """A directory with other files in it is neither claimed nor removed."""
    (tmp_path / "thesis.txt").write_text("dear reader")
    state = StateDirectory(path=tmp_path)

    with pytest.raises(ForeignDirectory):
        state.claim()
    with pytest.raises(ForeignDirectory):
        state.remove()
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="takes root, to give a directory to another user")
def test_another_users_directory_is_not_used(state: StateDirectory):
    """A directory that another user owns is not claimed, and what it says about a cloud is not believed."""
    state.publish(ACCESS)
    os.chown(state.path, 65534, 65534)

    with pytest.raises(ForeignDirectory, match="uid 65534"):
        state.claim()
    with pytest.raises(ForeignDirectory, match="uid 65534"):
        state.access()


def test_clear_keeps_the_lock_alone(state: StateDirectory):
    """What an earlier cloud has left behind goes away, the lock stays."""
    state.make_folders()
    (state.machines / "disk").write_text("bytes")
    state.clear()

    assert list(state.path.iterdir()) == [state.lock]


@pytest.mark.parametrize(
    ("environment", "directory"),
    [
        ({"HOME": "/home/a"}, "/home/a/.local/state/disposable-servers/local-cloud"),
        ({"HOME": "/home/a", "XDG_STATE_HOME": "/var/s"}, "/var/s/disposable-servers/local-cloud"),
    ],
)
def test_the_default_directory_follows_xdg(environment: dict[str, str], directory: str):
    """State lives under $XDG_STATE_HOME, or its default under the home directory."""
    assert default_directory(environment) == Path(directory)
