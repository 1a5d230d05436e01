from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml
from keystoneauth1.session import Session

from tasks.cloud.compute import NovaCompute
from tasks.cloud.identity import Access, open_cloud
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import ServerProfile
from tasks.cloud.rackspace import ApiKey, ApiKeyLoader
from tasks.errors import SettingsError, Unauthorized
from tasks.rollout.labels import Labels, Phase
from tasks.rollout.model import ServerRequest
from tests.cloud.conftest import PASSWORD
from tests.cloud.wire import API_KEY, PROJECT, Reply, Wire

IMAGE = "11111111-1111-1111-1111-111111111111"
LABELS = Labels(app="guestbook", environment="live", generation="7", slot=0, release="r1", phase=Phase.BOOTING)
CREDENTIALS = {"auth": {"RAX-KSKEY:apiKeyCredentials": {"username": "ann", "apiKey": API_KEY}}}


def changed(clouds_yaml: Path, **changes: Any) -> Path:
    """Change the entry of a clouds.yaml."""
    entry = yaml.safe_load(clouds_yaml.read_text())["clouds"]["here"] | changes
    clouds_yaml.write_text(yaml.safe_dump({"clouds": {"here": entry}}))
    return clouds_yaml


def test_a_rackspace_api_key_logs_in(clouds_yaml: Path, wire: Wire, tmp_path: Path) -> None:
    """With the plug-in registered, auth_type rackspace_apikey in clouds.yaml sends user name and API key."""
    installed = tmp_path / "site" / "plugin-1.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1\n")
    point = "[keystoneauth1.plugin]\nrackspace_apikey = tasks.cloud.rackspace:ApiKeyLoader\n"
    (installed / "entry_points.txt").write_text(point)
    auth = {"auth_url": f"{wire.url}/identity/v2.0", "username": "ann", "api_key": API_KEY}
    changed(clouds_yaml, auth_type="rackspace_apikey", auth=auth)
    script = (
        "import pathlib, sys; from tasks.cloud.identity import open_cloud; "
        "open_cloud('here', clouds_yaml=pathlib.Path(sys.argv[1]))"
    )
    paths = os.pathsep.join([str(installed.parent), str(Path(__file__).parents[2])])

    # A process of its own: plug-ins are looked up once per process.
    environment = os.environ | {"PYTHONPATH": paths, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", script, str(clouds_yaml)], check=True, env=environment, timeout=60)

    credentials = {"username": "ann", "apiKey": API_KEY}
    assert wire.received("POST", "tokens")[-1].body == {"auth": {"RAX-KSKEY:apiKeyCredentials": credentials}}


def test_an_api_key_is_all_a_session_needs(wire: Wire) -> None:
    """The plug-in logs in where keystoneauth wants it to, and its login is cached apart from those of other users."""
    url = f"{wire.url}/identity/v2.0"
    key = ApiKeyLoader().load_from_options(auth_url=url, username="ann", api_key=API_KEY)
    other = ApiKey(url, username="bob", api_key=API_KEY)

    assert Session(auth=key).get_project_id() == PROJECT
    assert wire.received("POST", "tokens")[-1].body == CREDENTIALS
    assert key.get_cache_id() != other.get_cache_id()


def test_secrets_may_lie_in_a_file_of_their_own(
    clouds_yaml: Path, tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """secure.yaml is laid over clouds.yaml, as for every other client."""
    entry = yaml.safe_load(clouds_yaml.read_text())["clouds"]["here"]
    del entry["auth"]["password"]
    clouds_yaml.write_text(yaml.safe_dump({"clouds": {"here": entry}}))
    secure = tmp_path / "secure.yaml"
    secure.write_text(yaml.safe_dump({"clouds": {"here": {"auth": {"password": PASSWORD}}}}))
    for name in [name for name in os.environ if name.startswith("OS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds_yaml))
    monkeypatch.setenv("OS_CLIENT_SECURE_FILE", str(secure))
    monkeypatch.setenv("OS_CLOUD", "here")

    assert open_cloud(None).cloud == "here"
    assert wire.received("POST", "tokens")[-1].body["auth"]["passwordCredentials"]["password"] == PASSWORD


def test_the_most_talkative_log_holds_no_secret(
    clouds_yaml: Path, wire: Wire, pace: Pace, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither password nor token, neither user data nor a password that Nova gives a server is ever logged."""
    caplog.set_level(logging.DEBUG)
    wire.on("GET", "/images/detail$", Reply(body={"images": [{"id": IMAGE}]}))
    wire.on("GET", "/flavors/detail$", Reply(body={"flavors": [{"id": "2"}]}))
    wire.on("POST", "/servers$", Reply(status=202, body={"server": {"id": "1", "adminPass": "for-root-only"}}))
    profile = ServerProfile(app="guestbook", environment="live", image=IMAGE, flavor="2", user_data="throw-away key")

    compute = NovaCompute(open_cloud("here", clouds_yaml=clouds_yaml), profile, pace)
    compute.create(ServerRequest(name="guestbook-7-0", labels=LABELS))

    user_data = wire.received("POST", "/servers$")[-1].body["server"]["user_data"]
    assert "/images/detail" in caplog.text
    assert [secret for secret in (PASSWORD, "a-token", user_data, "for-root-only") if secret in caplog.text] == []


class TestApplicationCredentials:
    """Against the Keystone of the local cloud."""

    @pytest.fixture
    def entry(self, local: dict[str, Any], opened: Access) -> dict[str, Any]:
        """Write an entry of clouds.yaml with an application credential that was made for it."""
        user = opened.session.get_user_id()
        made = opened.session.post(
            f"{local['auth_url_v3']}/users/{user}/application_credentials",
            json={"application_credential": {"name": f"deploy-{os.urandom(4).hex()}"}},
        ).json()["application_credential"]
        auth = {
            "auth_url": local["auth_url_v3"],
            "application_credential_id": made["id"],
            "application_credential_secret": made["secret"],
        }
        return {"auth_type": "v3applicationcredential", "auth": auth, "region_name": local["region"]}

    def written(self, tmp_path: Path, entry: dict[str, Any]) -> Path:
        """Write a clouds.yaml with that entry."""
        path = tmp_path / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"here": entry}}))
        return path

    def test_one_opens_the_cloud(self, entry: dict[str, Any], opened: Access, tmp_path: Path) -> None:
        """An application credential of an entry opens the same project, with its whole catalog."""
        access = open_cloud("here", clouds_yaml=self.written(tmp_path, entry))

        assert access.session.get_project_id() == opened.session.get_project_id()
        assert access.services == opened.services

    def test_a_wrong_secret_is_refused(self, entry: dict[str, Any], tmp_path: Path) -> None:
        """A secret that is wrong is one clear error, which does not show it."""
        entry["auth"]["application_credential_secret"] = "mistyped-secret"

        with pytest.raises(Unauthorized, match="identity refused the credentials") as caught:
            open_cloud("here", clouds_yaml=self.written(tmp_path, entry))
        assert "mistyped-secret" not in "".join(traceback.format_exception(caught.value))

    def test_one_without_its_secret_is_a_settings_error(self, entry: dict[str, Any], tmp_path: Path) -> None:
        """An entry that lacks the secret is said before anybody is asked."""
        del entry["auth"]["application_credential_secret"]

        with pytest.raises(SettingsError, match="cannot be used: You must provide an auth secret"):
            open_cloud("here", clouds_yaml=self.written(tmp_path, entry))
