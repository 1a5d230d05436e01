from __future__ import annotations

import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import Access, Service, open_cloud
from tasks.cloud.patient import Pace
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import CloudError, CloudUnreachable, NotFound, SettingsError, Unauthorized
from tests.cloud.conftest import PASSWORD
from tests.cloud.wire import REGION, Reply, Wire, token


def changed(clouds_yaml: Path, **changes: Any) -> Path:
    """Change the entry of a clouds.yaml; a change to None takes the key away."""
    entry = yaml.safe_load(clouds_yaml.read_text())["clouds"]["here"] | changes
    entry = {key: value for key, value in entry.items() if value is not None}
    clouds_yaml.write_text(yaml.safe_dump({"clouds": {"here": entry}}))
    return clouds_yaml


def test_the_catalog_is_read_at_one_login(access: Access, wire: Wire) -> None:
    """Opening a cloud logs in once and tells what its catalog offers."""
    assert access.region == REGION
    assert Service(type="rax:load-balancer", name="cloudLoadBalancers", region=REGION) in access.services
    assert len(wire.received("POST", "tokens")) == 1


def test_requests_have_a_time_limit(access: Access, clouds_yaml: Path) -> None:
    """A request is given up after 60 s, or after api_timeout of the cloud's entry."""
    patient = open_cloud("here", clouds_yaml=changed(clouds_yaml, api_timeout=7))

    assert access.session.timeout == 60
    assert patient.session.timeout == 7


def test_the_only_entry_needs_no_name(clouds_yaml: Path) -> None:
    """Where clouds.yaml has one entry, nobody has to name it."""
    assert open_cloud(None, clouds_yaml=clouds_yaml).cloud == "here"


def test_an_unknown_name_brings_the_near_one(clouds_yaml: Path) -> None:
    """A mistyped cloud is a settings error that offers the name that was meant."""
    with pytest.raises(SettingsError, match=r"(?s)no cloud 'hree' in .*clouds\.yaml.*did you mean 'here'\?"):
        open_cloud("hree", clouds_yaml=clouds_yaml)


def test_a_file_without_clouds_is_said(tmp_path: Path) -> None:
    """Where no cloud is configured, the error says where it was looked for."""
    with pytest.raises(SettingsError, match=r"no cloud found in .*none\.yaml"):
        open_cloud(None, clouds_yaml=tmp_path / "none.yaml")


def test_a_broken_file_is_suspected_and_shows_no_secret(clouds_yaml: Path) -> None:
    """A clouds.yaml that is not YAML is a settings error that suspects it and quotes nothing of it."""
    clouds_yaml.write_text(f"clouds:\n  here: {{auth: {{password: {PASSWORD}\n")

    with pytest.raises(SettingsError, match=r"(?s)no cloud found.*is it YAML") as caught:
        open_cloud("here", clouds_yaml=clouds_yaml)

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_several_entries_are_listed(clouds_yaml: Path) -> None:
    """Where several clouds are configured and none is chosen, they are listed."""
    entry = yaml.safe_load(clouds_yaml.read_text())["clouds"]["here"]
    clouds_yaml.write_text(yaml.safe_dump({"clouds": {"here": entry, "there": entry}}))

    with pytest.raises(SettingsError, match=r"(?s)name 2 clouds.*here, there"):
        open_cloud(None, clouds_yaml=clouds_yaml)


def test_a_missing_option_is_named(clouds_yaml: Path) -> None:
    """An entry without its auth_url is a settings error that names the option."""
    with pytest.raises(SettingsError, match=r"'here'.*auth_url"):
        open_cloud("here", clouds_yaml=changed(clouds_yaml, auth={"username": "ann"}))


@pytest.mark.parametrize("auth_type", ["v2password", "unheard-of"])
def test_options_that_do_not_fit_are_a_settings_error(clouds_yaml: Path, auth_type: str) -> None:
    """An auth_type that nobody knows, or an option that is none of its own, is said and not a crash."""
    auth = {"auth_url": "http://127.0.0.1/v2.0", "username": "ann", "password": PASSWORD, "user_domain_name": "x"}

    with pytest.raises(SettingsError, match=r"(?s)'here'.*cannot be used.*fit its auth_type") as caught:
        open_cloud("here", clouds_yaml=changed(clouds_yaml, auth_type=auth_type, auth=auth))

    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_an_entry_that_is_no_mapping_is_a_settings_error(clouds_yaml: Path) -> None:
    """An entry of clouds.yaml that holds nothing usable is said and not a crash."""
    clouds_yaml.write_text("clouds: {here: hello}")

    with pytest.raises(SettingsError, match="'here'"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_a_given_file_shuts_the_environment_out(clouds_yaml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OS_CLOUD and OS_* count only where no file is given."""
    monkeypatch.setenv("OS_CLOUD", "elsewhere")
    monkeypatch.setenv("OS_USERNAME", "bob")

    assert open_cloud(None, clouds_yaml=clouds_yaml).cloud == "here"


def test_os_variables_alone_are_a_cloud(wire: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without clouds.yaml, OS_* variables are enough."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("OS_AUTH_TYPE", "v2password")
    monkeypatch.setenv("OS_AUTH_URL", f"{wire.url}/identity/v2.0")
    monkeypatch.setenv("OS_USERNAME", "ann")
    monkeypatch.setenv("OS_PASSWORD", PASSWORD)
    monkeypatch.setenv("OS_REGION_NAME", REGION)

    assert open_cloud(None).region == REGION


def test_a_missing_region_is_the_only_one(clouds_yaml: Path) -> None:
    """Where the catalog has one region, it need not be set."""
    assert open_cloud("here", clouds_yaml=changed(clouds_yaml, region_name=None)).region == REGION


def test_a_missing_region_is_never_guessed(clouds_yaml: Path, wire: Wire) -> None:
    """Where the catalog has several regions, one has to be chosen, and they are listed."""
    wire.on("POST", "tokens", Reply(body=token(wire.url, regions=("ORD", "DFW"))))

    with pytest.raises(SettingsError, match=r"(?s)has 2 regions.*DFW, ORD"):
        open_cloud("here", clouds_yaml=changed(clouds_yaml, region_name=None))


def test_trap_24_a_region_in_the_wrong_case_brings_the_right_one(clouds_yaml: Path) -> None:
    """Catalogs compare regions case by case: "ord" is a refusal of the cloud that offers "ORD"."""
    with pytest.raises(NotFound, match=r"(?s)no region 'ord'.*did you mean 'ORD'\?") as caught:
        open_cloud("here", clouds_yaml=changed(clouds_yaml, region_name="ord"))

    assert caught.value.exit_code == 3


def test_a_region_that_is_not_there_brings_those_that_are(clouds_yaml: Path) -> None:
    """A region that resembles none of the catalog's brings the list of them."""
    with pytest.raises(NotFound, match=r"(?s)no region 'LON'.*set region_name to one of: ORD"):
        open_cloud("here", clouds_yaml=changed(clouds_yaml, region_name="LON"))


def test_trap_24_first_generation_servers_are_passed_over(clouds_yaml: Path, wire: Wire) -> None:
    """Of two services of type compute the next-generation one is meant, even when it is listed last."""
    body = token(wire.url)
    old = {"type": "compute", "name": "cloudServers", "endpoints": [{"publicURL": f"{wire.url}/v1", "region": REGION}]}
    body["access"]["serviceCatalog"].insert(0, old)
    wire.on("POST", "tokens", Reply(body=body))

    assert open_cloud("here", clouds_yaml=clouds_yaml).service_name("compute") == "cloudServersOpenStack"


def test_a_service_that_is_missing_is_named(access: Access) -> None:
    """A cloud without a service says which one is missing, where, and what there is."""
    with pytest.raises(NotFound, match=r"(?s)'here' offers no DNS in region ORD.*its catalog has: compute"):
        access.require("dns", "DNS")


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_one_error_without_secrets(clouds_yaml: Path, wire: Wire, status: int) -> None:
    """Wrong credentials say so, where, and what to check; the password is nowhere."""
    wire.on("POST", "tokens", Reply(status=status, body={"unauthorized": {"code": status, "message": "no"}}))

    with pytest.raises(Unauthorized, match=rf"logging in to cloud 'here' at {wire.url}/identity.*refused") as caught:
        open_cloud("here", clouds_yaml=clouds_yaml)

    assert caught.value.status == status
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_trap_35_a_refused_login_speaks_of_api_keys(clouds_yaml: Path, wire: Wire) -> None:
    """A Rackspace API key used as a password is refused like a typo, so the advice names the right auth_type."""
    wire.on("POST", "tokens", Reply(status=401, body={"unauthorized": {"code": 401, "message": "no"}}))

    with pytest.raises(Unauthorized, match="auth_type: rackspace_apikey"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_a_second_factor_is_told_from_a_typo(clouds_yaml: Path, wire: Wire) -> None:
    """A 401 that asks for a passcode advises the API key, which needs none (Cloud Identity docs, MFA)."""
    asks = {"WWW-Authenticate": "OS-MF sessionId='x', factor='PASSCODE'"}
    body = {"unauthorized": {"code": 401, "message": "Additional authentication credentials required"}}
    wire.on("POST", "tokens", Reply(status=401, body=body, headers=asks))

    with pytest.raises(Unauthorized, match=r"(?s)second factor.*API key"):
        open_cloud("here", clouds_yaml=clouds_yaml)


@pytest.mark.parametrize("auth_type", ["v2password", "password"])
def test_an_identity_that_is_not_there_is_unreachable(clouds_yaml: Path, auth_type: str) -> None:
    """An auth_url at which nobody listens is one line with the reason, with and without discovery of versions."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        auth = {"auth_url": f"http://127.0.0.1:{taken.getsockname()[1]}/v2.0", "username": "ann", "password": "x"}

        with pytest.raises(CloudUnreachable, match="identity cannot be reached: Connection refused"):
            open_cloud("here", clouds_yaml=changed(clouds_yaml, auth_type=auth_type, auth=auth))


def test_an_auth_url_that_is_no_identity_is_said(clouds_yaml: Path, wire: Wire) -> None:
    """An auth_url that answers 404 is an error about auth_url."""
    wire.on("POST", "tokens", Reply(status=404, body="<html>no such page</html>"))

    with pytest.raises(NotFound, match=r"(?s)identity answered 404.*auth_url"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_an_answer_that_is_no_token_is_said(clouds_yaml: Path, wire: Wire) -> None:
    """An identity that answers something else than a token is an error, not a crash."""
    wire.on("POST", "tokens", Reply(body="<html>welcome</html>"))

    with pytest.raises(CloudError, match="identity's answer cannot be used"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_an_expired_token_is_replaced_in_silence(access: Access, wire: Wire) -> None:
    """A 401 of a service brings one new login and the request again."""
    wire.on("GET", "/limits$", Reply(status=401), Reply(body={"limits": {}}))

    access.session.get(f"{wire.url}/compute/v2.1/limits")

    assert len(wire.received("POST", "tokens")) == 2


def test_a_proxy_from_the_environment_is_not_asked_for_loopback(
    clouds_yaml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud on this machine is asked directly, whatever http_proxy says."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert open_cloud("here", clouds_yaml=clouds_yaml).region == REGION


def test_a_cloud_without_servers_is_none_for_us(clouds_yaml: Path, wire: Wire) -> None:
    """A catalog without a compute API in any region is said when the cloud is opened."""
    body = token(wire.url)
    body["access"]["serviceCatalog"] = []
    wire.on("POST", "tokens", Reply(body=body))

    with pytest.raises(NotFound, match="the catalog of cloud 'here' has no compute API in any region"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_an_auth_type_without_a_catalog_is_a_settings_error(clouds_yaml: Path) -> None:
    """With a fixed endpoint there is no catalog, and so no way to the APIs."""
    auth = {"endpoint": "http://127.0.0.1:1", "token": "x"}

    with pytest.raises(SettingsError, match="auth_type admin_token gives no catalog"):
        open_cloud("here", clouds_yaml=changed(clouds_yaml, auth_type="admin_token", auth=auth))


@pytest.mark.parametrize("status", [413, 429])
def test_too_many_logins_are_told_from_wrong_ones(clouds_yaml: Path, wire: Wire, status: int) -> None:
    """A login that is refused because of too many advises patience (Cloud Identity docs, limits)."""
    wire.on("POST", "tokens", Reply(status=status, body={"overLimit": {"code": status}}))

    with pytest.raises(CloudError, match=r"(?s)too many requests.*try again"):
        open_cloud("here", clouds_yaml=clouds_yaml)


def test_a_login_that_expires_for_good_is_said(access: Access, wire: Wire, pace: Pace) -> None:
    """When a token has expired and the credentials are refused by now, that is the error."""
    wire.on("GET", "/absolutelimits$", Reply(status=401))
    wire.on("POST", "tokens", Reply(status=401, body={"unauthorized": {"code": 401, "message": "no"}}))
    balancers = CloudLoadBalancers(access, BalancerProfile(app="guestbook", environment="live"), pace)

    with pytest.raises(Unauthorized, match="reading the limits of load balancers: identity refused the credentials"):
        balancers.node_limit()
