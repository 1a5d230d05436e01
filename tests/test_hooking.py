"""What surrounds a verb: the operator's commands as real processes, a webhook on loopback, a simulated cloud."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from tasks.errors import DeployRefused, HostError, Interrupted, RotationRefused
from tasks.hosts.hooks import CommandHooks
from tasks.recording import recorded
from tasks.report.progress import Progress
from tasks.report.summary import Records
from tasks.rollout import deploying
from tasks.rollout.journal import Journal
from tasks.rollout.observation import Hook
from tasks.settings import Settings
from tasks.wiring import Opened
from tests.report.webhooks import webhook
from tests.rollout.builders import goal
from tests.simulation.world import World

MADE_OF = {"server": {"image": "debian", "flavor": "small"}, "listeners": ({"name": "http", "port": 80},)}
TOLD = (
    'echo "{hook} $DEPLOY_VERB $DEPLOY_RELEASE ${{DEPLOY_OUTCOME-}} ${{DEPLOY_EXIT_CODE-}} ${{DEPLOY_ERROR-}}" >> {log}'
)


class Desk:
    """An operator with commands that write down that they were run; some exit with another code than 0."""

    def __init__(self, folder, failing=(), **settings):
        self.log = folder / "log"
        self.world = World()
        commands = {hook: TOLD.format(hook=hook, log=self.log) + f"; exit {int(hook in failing)}" for hook in Hook}
        journal = Journal(folder / "run/journal.jsonl")
        site = replace(self.world.site(), listen=journal, hooks=CommandHooks(commands, 60.0))
        self.goal = goal(hooks=frozenset(Hook))
        console = Console(file=io.StringIO(), width=200)
        self.opened = Opened(
            settings=Settings(**(MADE_OF | settings)),
            site=site,
            console=console,
            progress=Progress(console, site.clock, prefix="shop-test-"),
            records=Records(journal=journal.path, known_hosts=folder / "known_hosts", ssh=str),
        )

    def deploy(self, verb="deploy"):
        """Deploy, on record."""
        with recorded(verb, self.goal, self.opened):
            deploying.deploy(self.goal, self.opened.site)

    @property
    def ran(self):
        """What the commands have written down."""
        return [" ".join(line.split()) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    @property
    def record(self):
        """What the journal tells."""
        return [json.loads(line) for line in self.opened.records.journal.read_text().splitlines()]

    @property
    def said(self):
        """What was said that is no step."""
        return [line["text"] for line in self.record if line["event"] == "said"]


@pytest.fixture(autouse=True)
def directly(monkeypatch):
    """Whoever runs the tests behind a proxy reaches loopback all the same."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_deploy_that_is_done_runs_four_commands(tmp_path):
    """In their order; the last one knows that all is done."""
    desk = Desk(tmp_path)
    desk.deploy()

    assert desk.ran == [
        "before_deploy deploy r2",
        "before_rotate deploy r2",
        "after_rotate deploy r2",
        "after_deploy deploy r2 done 0",
    ]


def test_before_deploy_stops_everything(tmp_path):
    """Nothing was asked of the cloud but what is there; the exit code is that of a refusal."""
    desk = Desk(tmp_path, failing={Hook.BEFORE_DEPLOY})
    with pytest.raises(DeployRefused, match=r"hooks\.before_deploy did not allow it, and nothing was done") as refused:
        desk.deploy()

    assert refused.value.exit_code == 3
    assert desk.world.names() == set()
    assert [line.split()[0] for line in desk.ran] == ["before_deploy", "on_failure"]
    assert desk.record[-1]["outcome"] == "refused"


def test_before_rotate_leaves_no_new_server(tmp_path):
    """And exits as new servers that failed do."""
    desk = Desk(tmp_path, failing={Hook.BEFORE_ROTATE})
    with pytest.raises(RotationRefused):
        desk.deploy()

    assert desk.world.names() == set()
    assert desk.ran[-1].startswith("on_failure deploy r2 failed 4 hooks.before_rotate did not allow the rotation")


@pytest.mark.parametrize("hook", [Hook.AFTER_ROTATE, Hook.AFTER_DEPLOY])
def test_what_fails_afterwards_is_said(tmp_path, hook):
    """The deploy is done all the same, and on record as done."""
    desk = Desk(tmp_path, failing={hook})
    desk.deploy()

    assert len(desk.world.serving()) == 2
    assert any(f"hooks.{hook} failed, which changes nothing" in text for text in desk.said)
    assert desk.record[-1]["outcome"] == "done"


def test_on_failure_does_not_hide_the_failure(tmp_path):
    """What was wrong first is what is raised, and what the command is told."""
    desk = Desk(tmp_path, failing={Hook.ON_FAILURE})
    desk.world.fault = lambda call: HostError("disk full\nmore", server="x") if call == "set up 1" else None
    with pytest.raises(HostError, match="disk full"):
        desk.deploy()

    assert desk.ran == ["before_deploy deploy r2", "on_failure deploy r2 failed 4 disk full"]
    assert any("hooks.on_failure failed" in text for text in desk.said)


def test_ctrl_c_before_anything_was_done(tmp_path):
    """A command that is interrupted ends as any interrupted deploy does: nothing changed, exit code 4."""
    desk = Desk(tmp_path)

    class Impatient(CommandHooks):
        def run(self, hook, about):
            if hook == Hook.BEFORE_DEPLOY:
                raise KeyboardInterrupt
            return super().run(hook, about)

    desk.opened = replace(desk.opened, site=replace(desk.opened.site, hooks=Impatient({}, 1.0)))
    with pytest.raises(Interrupted, match="nothing was done"):
        desk.deploy()

    assert desk.world.names() == set()


def test_who_leaves_at_once_runs_nothing(tmp_path):
    """The second Ctrl-C waits for no command."""
    desk = Desk(tmp_path)
    with pytest.raises(KeyboardInterrupt), recorded("deploy", desk.goal, desk.opened):
        raise KeyboardInterrupt

    assert desk.ran == ["before_deploy deploy r2"]


def test_a_stage_alone_is_no_deploy(tmp_path):
    """`fab check` and its like change nobody's traffic."""
    desk = Desk(tmp_path)
    with recorded("check", desk.goal, desk.opened):
        pass

    assert desk.ran == []


@pytest.mark.parametrize("way", ["notify", "notify_env"])
def test_the_webhook_is_told_of_the_end(tmp_path, monkeypatch, way):
    """Whether the file names it or a variable; nothing that is written down does."""
    with webhook() as there:
        monkeypatch.setenv("WEBHOOK", there.url)
        desk = Desk(tmp_path, **{way: there.url if way == "notify" else "WEBHOOK"})
        desk.deploy()

    (told,) = there.told
    assert told["text"].startswith("deploy of shop to test, release r2: done, after ")
    assert desk.record[-1]["event"] == "ended"
    written = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in (*written, desk.opened.console.file.getvalue()))


def test_the_webhook_is_told_of_a_failure(tmp_path):
    """With its first line."""
    with webhook() as there:
        desk = Desk(tmp_path, notify=there.url)
        desk.world.fault = lambda call: HostError("disk full\nmore", server="x") if call == "set up 1" else None
        with pytest.raises(HostError):
            desk.deploy()

    assert [(told["outcome"], told["error"]) for told in there.told] == [("failed", "disk full")]


def test_a_webhook_that_fails_fails_nothing(tmp_path):
    """That nobody was told is said."""
    with webhook(status=500) as there:
        desk = Desk(tmp_path, notify=there.url)
        desk.deploy()

    assert "no notification was sent: the webhook answered 500" in desk.said
    assert desk.record[-1]["outcome"] == "done"


def test_a_variable_that_is_not_set_fails_nothing(tmp_path, monkeypatch):
    """A colleague without it deploys as well."""
    monkeypatch.delenv("WEBHOOK", raising=False)
    desk = Desk(tmp_path, notify_env="WEBHOOK")
    desk.deploy()

    assert "no notification was sent: notify_env: WEBHOOK is not set in your environment" in desk.said
