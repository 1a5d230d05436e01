"""The notification of an end: what is sent, and that nothing comes of its failure."""

import logging
import socket
import threading

import pytest

from tasks.outcomes import Outcome
from tasks.report.notifying import message, post
from tests.report.webhooks import webhook
from tests.rollout.builders import goal


@pytest.fixture(autouse=True)
def directly(monkeypatch):
    """Whoever runs the tests behind a proxy reaches loopback all the same."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_deploy_that_is_done():
    """One sentence says all; its parts are there for programs."""
    assert message(goal(), Outcome.DONE, 41.26, "") == {
        "text": "deploy of shop to test, release r2: done, after 41 s",
        "app": "shop",
        "environment": "test",
        "verb": "deploy",
        "release": "r2",
        "generation": goal().generation,
        "outcome": "done",
        "exit_code": 0,
        "seconds": 41.3,
        "error": "",
    }


def test_a_failure_says_what_has_failed():
    """Slack makes neither links nor mentions of what an app has printed."""
    told = message(goal(verb="rollback"), Outcome.REVERTED, 9, "<!channel> & 500")

    assert told["text"] == (
        "rollback of shop to test, release r2: reverted after the rotation began, after 9 s\n&lt;!channel&gt; &amp; 500"
    )
    assert (told["outcome"], told["exit_code"], told["error"]) == ("reverted", 5, "<!channel> & 500")


def test_it_arrives_as_json():
    """A webhook is told once, at its own path."""
    with webhook() as there:
        assert post(there.url, {"text": "done"}) == ""

    assert there.told == [{"text": "done"}]
    assert there.paths == ["/services/T0/hunter2"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_webhook_that_refuses(status):
    """The answer is told, and nothing of the URL."""
    with webhook(status=status) as there:
        assert post(there.url, {}) == f"the webhook answered {status}"


def test_nobody_is_told_at_another_address():
    """A redirection is not followed."""
    with webhook() as other, webhook(status=307, headers={"Location": other.url}) as there:
        assert post(there.url, {}) == "the webhook answered 307"

    assert other.told == []


def test_nobody_answers():
    """A port at which nobody listens is told by the kind of error alone."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        told = post(f"http://127.0.0.1:{taken.getsockname()[1]}/hunter2", {})

    assert told == "the webhook could not be asked: ConnectionRefusedError"


@pytest.mark.parametrize("url", ["http://[hunter2/", "http://", "https://exa mple/hunter2"])
def test_what_is_no_address(url):
    """It is told without telling it."""
    told = post(url, {})

    assert told.startswith("the webhook could not be asked: ")
    assert "hunter2" not in told


def test_an_answer_that_does_not_come_is_not_waited_for():
    """A webhook that hangs holds a deploy up for no longer than the deadline; it hangs until this test is over."""
    with webhook(until=threading.Event()) as there:
        told = post(there.url, {}, longest=0.3)

    assert told in {"the webhook did not answer within 0.3 s", "the webhook could not be asked: TimeoutError"}


def test_logging_at_its_most_talkative_does_not_tell_the_url(caplog):
    """`fab --debug` shows every library's log."""
    with caplog.at_level(logging.DEBUG), webhook() as there:
        post(there.url, {})

    assert "hunter2" not in caplog.text
