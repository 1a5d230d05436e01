"""What `fab doctor` looks at on this machine, before a cloud is asked."""

from pathlib import Path

import pytest

from tasks import local_cloud
from tasks.findings import not_well
from tasks.wiring_checkup import examine

APP = """
processes = { web = "./serve" }
commands = { migrate = "", test = "" }
source = { path = "app", requirements = "" }
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a settings file of a small app, of somebody who has nothing else."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app/serve").write_text("#!/bin/sh\n")
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    path = tmp_path / "deploy.toml"
    path.write_text(APP)
    monkeypatch.setenv("DEPLOY_FILE", str(path))
    return path


def by_name(found):
    """Give the findings by what they are about."""
    return {finding.what: finding for finding in found}


def test_mistakes_in_the_settings_are_all_that_can_be_said(settings: Path):
    """Each is told; nothing else can be looked at."""
    settings.write_text("conut = 3\n")
    (found,) = examine()

    assert (found.what, found.ok, found.exit_code) == ("settings", False, 2)
    assert "did you mean count?" in found.seen


@pytest.mark.parametrize(
    ("line", "what", "seen"),
    [
        ('secrets = ["NOBODY_SET_THIS"]', "secrets", "NOBODY_SET_THIS"),
        ('bootstrap_scripts = "nowhere"', "bootstrap scripts", "there are no bootstrap scripts"),
        ('server = { image = "x", flavor = "y", key_file = "/no/such/key" }', "login key", "/no/such/key"),
    ],
)
def test_a_setting_that_is_wrong_keeps_the_cloud_from_being_asked(settings: Path, line: str, what: str, seen: str):
    """It is named with what was seen; a deploy would exit 2 for it."""
    settings.write_text(f"{line}\n{APP}")
    found = by_name(examine())

    assert (found[what].ok, found[what].exit_code) == (False, 2)
    assert seen in found[what].seen
    assert found[what].remedy
    assert not found["cloud"].ok
    assert "envoy" not in found


def test_an_app_that_can_not_be_built_is_told(settings: Path):
    """Beside everything else; a deploy would exit 3 for it."""
    (settings.parent / "app/serve").unlink()
    found = by_name(examine())

    assert (found["release"].ok, found["release"].exit_code) == (False, 3)
    assert "source.path" in found["release"].remedy
    assert "envoy" in found


def test_a_local_cloud_that_does_not_run_is_not_started(settings: Path):
    """What it needs of this machine is looked at, and that a deploy starts it is said."""
    found = examine()

    assert not_well(found) == []
    assert found[-1].seen == "the local cloud does not run; `fab deploy` starts it"
    assert {"namespaces", "envoy", "port 2222", "port 8080", "port 8443"} <= set(by_name(found))
    assert local_cloud.running_at() is None


def test_a_cloud_that_nobody_knows_is_told(settings: Path, monkeypatch: pytest.MonkeyPatch):
    """The entry of clouds.yaml is missing: the credentials are not ok, and the rest can not be asked."""
    (settings.parent / "clouds.yaml").write_text("clouds: {other: {auth: {auth_url: 'http://127.0.0.1:9'}}}\n")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(settings.parent / "clouds.yaml"))
    settings.write_text('cloud = "acme"\nserver = { image = "x", flavor = "y" }\n' + APP)
    last = examine()[-1]

    assert (last.what, last.ok, last.exit_code) == ("credentials and region", False, 2)
    assert "acme" in last.seen
