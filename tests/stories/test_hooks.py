"""Commands of the operator's around a deploy: they look, allow and refuse; a webhook reads how it ended."""

from pathlib import Path

from tests.report.webhooks import webhook
from tests.stories.operators import ONE, Operator

LISTED = """
[hooks]
before_deploy = 'echo "before_deploy $DEPLOY_VERB" >> {log}'
before_rotate = 'echo "before_rotate $DEPLOY_SERVERS" >> {log}; ! test -e {closed} || ! echo "the gate is closed"'
after_rotate = 'echo "after_rotate $DEPLOY_VIRTUAL_IPS" >> {log}'
after_deploy = 'echo "after_deploy $DEPLOY_OUTCOME" >> {log}; exit 9'
on_failure = 'echo "on_failure $DEPLOY_OUTCOME" >> {log}'
"""


def test_a_deploy_that_asks_and_tells(site: Operator, tmp_path: Path):
    """A closed gate keeps the new server out and the old one serving; open, it lets it in, and each command is run."""
    log, closed = tmp_path / "log", tmp_path / "closed"
    closed.touch()
    before = site.cloud().servers().keys()
    with webhook() as there:
        text = f'{ONE}notify = "{there.url}"\n{LISTED.format(log=log, closed=closed)}'
        operator = site.with_settings(text)
        refused = operator.fab("deploy")
        still = site.cloud().servers().keys(), site.cloud().page().status
        closed.unlink()
        done = operator.manages("deploy")

    assert refused.code == 4, refused.text
    assert "hooks.before_rotate did not allow the rotation" in refused.stderr
    assert "    the gate is closed" in refused.stderr
    assert still == (before, 200)
    (new,) = site.cloud().servers()
    assert "hooks.after_deploy failed, which changes nothing" in done.stdout
    virtual_ip = next(iter(site.cloud().balancers().values())).virtual_ip
    asked, failed, *ran = [line for line in log.read_text().splitlines() if line != "before_deploy deploy"]
    assert asked.startswith("before_rotate guestbook-production-")
    assert failed == "on_failure failed"
    assert ran == [f"before_rotate {new}", f"after_rotate {virtual_ip}", "after_deploy done"]
    assert [told["outcome"] for told in there.told] == ["failed", "done"]
    assert "hunter2" not in refused.text + done.text
