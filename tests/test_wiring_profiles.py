"""What servers are created with, by the settings."""

import pytest

from tasks.hosts.injected import personality, run_at_first_boot, user_data
from tasks.settings import Settings
from tasks.settings_file import LOCAL_DEFAULTS
from tasks.wiring_profiles import server_profile, ssh_access

SECRET, VALUE = "correct-horse-battery", "plain-staple"


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """Give what makes a profile of settings."""
    monkeypatch.setenv("TOKEN", SECRET)

    def make(**settings):
        wanted = Settings(**{**LOCAL_DEFAULTS, **settings})
        return server_profile(wanted, ssh_access(wanted, tmp_path))

    return make


def test_push_gives_a_server_nothing_to_run(profile):
    """A server that is set up over SSH gets neither user data nor files."""
    made = profile(bootstrap="push")

    assert (made.user_data, made.files) == ("", {})


def test_cloud_init_gives_user_data(profile):
    """A server that is set up by cloud-init gets the machine scripts as user data, and no files."""
    made = profile(bootstrap="cloud-init")
    scripts = Settings(**LOCAL_DEFAULTS).bootstrap_scripts

    assert (made.user_data, made.files) == (user_data(run_at_first_boot(scripts)), {})


def test_cron_gives_files(profile):
    """A server that is set up by cron gets the three files, and no user data."""
    made = profile(bootstrap="cron")

    assert (made.user_data, made.files) == ("", personality(Settings(**LOCAL_DEFAULTS).bootstrap_scripts))


def test_a_throw_away_key_and_the_scripts_share_the_user_data(profile):
    """With a throw-away host key, cloud-init gets that and the machine scripts in one user data."""
    made = profile(bootstrap="cloud-init", server={**LOCAL_DEFAULTS["server"], "trust": "injected"})

    assert '"ssh_keys"' in made.user_data
    assert '"runcmd"' in made.user_data


@pytest.mark.parametrize("bootstrap", ["cloud-init", "cron"])
def test_neither_environment_nor_secrets_are_given_to_the_cloud(profile, bootstrap):
    """What the cloud keeps of a server is the same whatever environment and secrets the app has."""
    with_secrets = profile(bootstrap=bootstrap, env={"GREETING": VALUE}, secrets=("TOKEN",))
    without = profile(bootstrap=bootstrap)

    assert (with_secrets.user_data, with_secrets.files) == (without.user_data, without.files)
