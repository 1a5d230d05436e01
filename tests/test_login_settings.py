"""Where the passphrase of `server.key_file` comes from: a variable that the settings name, or the operator."""

from pathlib import Path

import pytest

from tasks.errors import SettingsError
from tasks.settings_file import load
from tasks.wiring_profiles import ssh_access


@pytest.fixture
def access(tmp_path, monkeypatch):
    """Give a function that reads a settings file and says how servers are logged in to."""

    def read(**server):
        lines = [f'{key} = "{value}"' for key, value in {"key_file": "~/.ssh/id_own", **server}.items()]
        (tmp_path / "deploy.toml").write_text("\n".join(["[server]", *lines]))
        monkeypatch.setenv("DEPLOY_FILE", str(tmp_path / "deploy.toml"))
        return ssh_access(load(), tmp_path)

    return read


def test_the_variable_that_is_named(access, monkeypatch):
    """The passphrase is taken from the variable, and neither it nor the settings show it."""
    monkeypatch.setenv("KEY_WORDS", "correct horse")
    made = access(passphrase_env="KEY_WORDS")

    assert made.passphrase.reveal() == "correct horse"
    assert "horse" not in repr(made)


def test_a_variable_that_is_not_set(access, monkeypatch):
    """A variable that is named and not set is a mistake, said when the passphrase is needed."""
    monkeypatch.delenv("KEY_WORDS", raising=False)

    with pytest.raises(SettingsError, match="KEY_WORDS is not set"):
        access(passphrase_env="KEY_WORDS").passphrase.reveal()


def test_no_terminal_to_ask_on(access, monkeypatch):
    """In CI nobody can be asked: the error says what else there is."""
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)

        with pytest.raises(SettingsError, match=r"(?s)id_own is encrypted.*agent.*server\.passphrase_env"):
            access().passphrase.reveal()


def test_a_gateway(access):
    """user@host:port names a jump host; the port may be left out."""
    assert str(access(gateway="ops@jump.example.net:2200").gateway) == "ops@jump.example.net:2200"
    assert str(access(gateway="ops@192.0.2.7").gateway) == "ops@192.0.2.7:22"
    assert access().gateway is None


@pytest.mark.parametrize("wrong", ["jump.example.net", "ops@", "ops@host:port", "ops@ho st"])
def test_a_gateway_that_is_none(access, wrong):
    """A gateway needs a user and a host."""
    with pytest.raises(SettingsError, match=r"server\.gateway"):
        access(gateway=wrong)
