"""Settings are written down without what opens doors."""

import pytest

from tasks.report.masking import MASK, masked
from tasks.settings import Settings

MADE_OF = {
    "server": {"image": "debian", "flavor": "small"},
    "listeners": ({"name": "http", "port": 80},),
}


def shown(**changes):
    """Give settings as they are written down."""
    return masked(Settings(**(MADE_OF | changes)))


def test_all_settings_are_there():
    """Defaults too: what a default was that day can be read later."""
    settings = shown(count=3)

    assert set(settings) == set(Settings.model_fields)
    assert (settings["count"], settings["check"]["path"], settings["server"]["image"]) == (3, "/healthz", "debian")


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "DB_PASSWORD", "SLACK_WEBHOOK", "GITHUB_TOKEN", "STRIPE_KEY", "SENTRY_DSN"]
)
def test_what_is_called_a_secret_is_masked(name):
    """People put into `env` what belongs into `secrets`."""
    assert shown(env={name: "hunter2hunter2", "LANG": "C"})["env"] == {name: MASK, "LANG": "C"}


def test_the_password_in_a_url_is_masked():
    """The rest of the URL says which database it was."""
    env = {"DATABASE_URL": "postgres://shop:hunter2@db.example/shop"}

    assert shown(env=env)["env"]["DATABASE_URL"] == f"postgres://shop:{MASK}@db.example/shop"


@pytest.mark.parametrize(
    "command",
    [
        "smoke --api-token hunter2 --fast",
        "smoke --password=hunter2",
        "TOKEN=hunter2 ./smoke",
        'curl -H "Authorization: Bearer hunter2" https://x.example',
        "curl -u ops:hunter2 https://x.example",
    ],
)
def test_what_a_command_is_given_to_log_in_with_is_masked(command):
    """Commands are among the settings, and somebody will have typed a password into one."""
    assert "hunter2" not in str(shown(commands={"watch": command}))


@pytest.mark.parametrize(
    "command", ["python manage.py migrate --noinput", "TOKEN=$TOKEN ./smoke", "./smoke key words", 'echo "a: b"']
)
def test_an_innocent_command_is_left_as_it_is(command):
    """A record in which everything is masked tells nothing; a variable's name is no secret."""
    assert shown(commands={"watch": command})["commands"]["watch"] == command


def test_the_value_of_a_secret_is_masked_wherever_it_stands(monkeypatch):
    """`secrets` names variables; what one of them holds may have been pasted elsewhere too."""
    monkeypatch.setenv("DEPLOY_WORD", "open-sesame")
    settings = shown(secrets=("DEPLOY_WORD",), processes={"web": "serve open-sesame"})

    assert settings["processes"] == {"web": f"serve {MASK}"}
    assert settings["secrets"] == ["DEPLOY_WORD"]


def test_secrets_that_are_not_set_are_no_hindrance(monkeypatch):
    """Whoever needs them says that they are missing."""
    monkeypatch.delenv("DEPLOY_WORD", raising=False)

    assert shown(secrets=("DEPLOY_WORD",))["secrets"] == ["DEPLOY_WORD"]


def test_a_webhook_is_masked_and_the_name_of_its_variable_is_not():
    """Whoever knows the URL can use it; the name says where it came from."""
    settings = shown(notify="https://hooks.example/hunter2", notify_env="SLACK_URL")

    assert (settings["notify"], settings["notify_env"]) == (MASK, "SLACK_URL")
    assert shown()["notify"] == ""
