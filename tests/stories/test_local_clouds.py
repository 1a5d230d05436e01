"""The life of local clouds."""

from collections.abc import Callable

import requests

from tests.stories.leftovers import leftovers
from tests.stories.operators import ONE, Operator


def test_down_leaves_nothing(newcomer: Operator):
    """After `local.down` there is no process, mount or file of the cloud, and its addresses do not answer."""
    one = newcomer.with_settings(ONE)
    one.manages("deploy")
    [address, _] = one.cloud().addresses()
    assert leftovers(one.folder)
    ran = one.manages("local.down")

    assert "nothing of it is left" in ran.stdout
    assert leftovers(one.folder) == []
    assert one.local_status()["running"] is False
    assert _refuses(address)


def test_a_cloud_that_is_started_anew(newcomer: Operator):
    """A cloud that is started after `local.down` has new credentials."""
    newcomer.manages("local.up")
    before = newcomer.local_status()
    newcomer.manages("local.down")
    newcomer.manages("local.up")
    after = newcomer.local_status()

    assert not {before["password"], before["api_key"]} & {after["password"], after["api_key"]}


def test_up_twice_is_one_cloud(newcomer: Operator):
    """`local.up` on a cloud that runs leaves it as it is, and says so."""
    newcomer.manages("local.up")
    before = newcomer.local_status()
    again = newcomer.manages("local.up")

    assert "running already" in again.stdout
    assert newcomer.local_status() == before


def test_two_clouds_do_not_meet(operators: Callable[[], Operator]):
    """Clouds of two state folders have networks of their own; a deploy to one is not seen in the other."""
    here, there = operators().with_settings(ONE), operators()
    there.manages("local.up")
    here.manages("deploy")
    [address, _] = here.cloud().addresses()

    assert there.cloud().servers() == {}
    assert there.cloud().balancers() == {}
    assert _network(there.local_status()["auth_url_v3"]) != _network(here.local_status()["auth_url_v3"])
    there.manages("local.down")
    assert here.cloud().page(address).status == 200


def test_status_for_other_clients(newcomer: Operator):
    """`local.status --json` has the documented keys; with them a client gets a token at either identity API."""
    newcomer.manages("local.up")
    status = newcomer.local_status()
    keys = "running state_dir clouds_yaml auth_url_v2 auth_url_v3 region username api_key password project"
    keys += " control_url control_token"
    by_key = {"RAX-KSKEY:apiKeyCredentials": {"username": status["username"], "apiKey": status["api_key"]}}
    answer = requests.post(f"{status['auth_url_v2']}/tokens", json={"auth": by_key}, timeout=30)

    assert set(status) == set(keys.split())
    assert answer.json()["access"]["token"]["id"]
    assert newcomer.cloud().session.get_token()


def test_bad_days_are_asked_for(newcomer: Operator):
    """`local.fault NAME` arms a fault, `--list` shows it, `--clear` forgets it; without a name it is a mistake."""
    newcomer.manages("local.up", "--build-seconds", "3:8", "--seed", "7")
    armed = newcomer.manages("local.fault", "build-dies", "--times", "2", "--match", "web")
    listed = newcomer.manages("local.fault", "--list")
    cleared = [newcomer.manages("local.fault", *words) for words in (["api-500", "--clear"], ["--clear"])]

    assert "build-dies: 2 times, 10 s, only 'web'; struck 0 times" in armed.stdout
    assert "build-dies: 2 times, 10 s, only 'web'; struck 0 times" in listed.stdout
    assert [ran.stdout for ran in cleared] == ["0 cleared.\n", "1 cleared.\n"]
    assert "did not receive required positional arguments: 'name'" in newcomer.fab("local.fault").text
    mistyped = newcomer.fab("local.fault", "aip-500")
    assert (mistyped.code, "Did you mean api-500?" in mistyped.stderr) == (3, True)


def _network(url: str) -> str:
    return url.removeprefix("http://").rsplit(".", 2)[0]


def _refuses(address: str) -> bool:
    try:
        requests.get(address, timeout=5)
    except requests.ConnectionError:
        return True
    return False
