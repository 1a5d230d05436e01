"""`fab doctor`: what a deploy will need, looked at before it."""

import json

from tests.stories.operators import Operator


def findings(operator: Operator, code: int) -> dict[str, dict[str, object]]:
    """Ask `doctor --json`, which has to end so; give the findings by what they are about."""
    ran = operator.fab("doctor", "--json")
    assert ran.code == code, ran.text
    return {one["what"]: one for one in json.loads(ran.stdout)["findings"]}


def test_a_newcomer_is_told_that_all_is_well(newcomer: Operator):
    """Without settings or a cloud, nothing is missing; no cloud is started by looking."""
    ran = newcomer.manages("doctor")

    assert "All is well: `fab deploy` can go ahead." in ran.stdout
    assert "not ok" not in ran.stdout
    assert newcomer.local_status()["running"] is False


def test_a_site_that_serves_is_asked_for_its_check(site: Operator):
    """Each server that serves has a line; a check that it does not answer as wanted is not ok, with the setting."""
    (name,) = site.cloud().servers()
    assert findings(site, code=0)[f"check on {name}"]["ok"] is True
    other = site.with_settings('count = 1\ncommands.test = ""\ncheck = { path = "/nowhere" }\n', name="nowhere")
    found = findings(other, code=3)[f"check on {name}"]

    assert found["ok"] is False
    assert "check.path" in str(found["remedy"])


def test_what_is_wrong_is_what_a_deploy_would_say(site: Operator):
    """A mistyped image, and more servers than load balancers have room for: both say the same, and nothing changes."""
    server = '{ image = "Lokal Linux", flavor = "general1-1", ssh_port = 2222 }'
    wrong = site.with_settings(f"count = 150\nserver = {server}\n", name="wrong")
    before = site.cloud().servers()
    ran, deployed = wrong.fab("doctor"), wrong.fab("deploy")

    assert (ran.code, deployed.code) == (3, 3)
    assert "did you mean 'Local Linux'? set `server.image`" in ran.stdout
    assert "there is no image 'Lokal Linux'; did you mean 'Local Linux'? set `server.image`" in deployed.stderr
    assert "150 servers are wanted" in ran.stdout
    assert "150 servers are wanted" in deployed.stderr
    assert "Traceback" not in ran.text
    assert site.cloud().servers() == before


def test_secrets_that_are_not_set_are_settings(newcomer: Operator):
    """They are named, the exit code is 2, and the cloud is not asked."""
    ran = newcomer.with_settings('secrets = ["NOBODY_SET_THIS"]\n').fab("doctor")

    assert ran.code == 2
    assert "NOBODY_SET_THIS" in ran.stdout
    assert "2 of 6 are not ok: secrets, cloud" in ran.stderr
