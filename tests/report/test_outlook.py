"""What is going on beside what serves, in sentences."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tasks.report.outlook import at_work, failed, interrupted, kept, told, until
from tasks.rollout.labels import NEXT_DEPLOY, NOBODY, Phase
from tasks.rollout.outlook import Interrupted, Outlook, Rotation
from tasks.rollout.resuming import Interruption, Way
from tests.report.kept import NOW, UNTIL, claim, parked
from tests.rollout.builders import labelled, old, server


def found(*servers, **changes):
    """Give an interrupted deploy that can be gone on with."""
    values = {"rotation": Rotation.BEGUN, "same": Way.RESUME, "other": Way.UNDO, "can_abort": True} | changes
    return Interrupted(found=Interruption(claim=claim(), servers=servers or (server(1),), previous=NOBODY), **values)


def kept_until(time):
    """Give a server that failed and is kept."""
    return labelled(server(1, Phase.SET_UP, name="shop-test-x-1"), kept=time)


def test_a_server_that_failed_is_told_of_with_what_deletes_it():
    """Its name, its address, and until when it is there."""
    assert failed(kept_until(UNTIL), NOW) == (
        "shop-test-x-1 (10.0.2.1) failed, serves nobody and is kept until 2026-01-01 12:30 UTC (29 min from now): "
        "`fab servers.retire --server shop-test-x-1` deletes it."
    )


def test_one_whose_time_is_up_is_left_over():
    """`reap` deletes it, with all else that is."""
    assert failed(kept_until("2026-01-01T12:00:00Z"), NOW) == (
        "shop-test-x-1 (10.0.2.1) failed, serves nobody and was kept until 2026-01-01 12:00 UTC: "
        "`fab reap --yes` deletes it."
    )


def test_every_one_that_is_kept_is_told_of():
    """After what else is going on, a paragraph each."""
    assert list(told(Outlook(now=NOW, kept=(kept_until(UNTIL),)))) == [failed(kept_until(UNTIL), NOW)]


def test_who_is_at_work_is_told_with_times():
    """Whose deploy, when it began, and when it was last heard of."""
    assert at_work(claim(), NOW) == ("The deploy of ada@laptop is at work: begun 60 s ago, last heartbeat 50 s ago.")


def test_an_interrupted_deploy_is_told_in_words():
    """By whom, when, how far it came, what the next deploy makes of it, and how to undo it."""
    text = interrupted(found(server(1, Phase.SERVING), server(2), server(3, Phase.SET_UP)), NOW)

    assert text.splitlines() == [
        "The deploy of ada@laptop was interrupted: begun 60 s ago, last heartbeat 50 s ago.",
        "  There are 3 servers of it, release r2: 1 set-up, 1 ready, 1 serving.",
        "  Its rotation had begun.",
        "  `fab deploy` of the same release goes on with it (2 servers can be used), of another one undoes it first.",
        "  `fab abort` undoes it: what served before serves again, and its servers are deleted.",
    ]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (Way.UNDO, "The next `fab deploy` undoes it first."),
        (Way.FRESH, "The next `fab deploy` takes its servers away when new ones serve."),
    ],
)
def test_what_any_deploy_does_is_said_once(way, words):
    """Where it makes no difference which release comes next, no difference is spoken of."""
    assert words in interrupted(found(same=way, other=way), NOW)


@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        (Rotation.NOT_BEGUN, "what served before it serves on"),
        (Rotation.COMPLETE, "Its servers are all in rotation."),
    ],
)
def test_how_far_the_rotation_came_is_told(rotation, words):
    """So that an operator knows whether users meet the new release."""
    assert words in interrupted(found(rotation=rotation), NOW)


def test_what_cannot_be_undone_is_not_offered():
    """`fab abort` is named only where it can do something."""
    text = interrupted(found(can_abort=False), NOW)

    assert "can not be undone any more" in text
    assert "fab abort" not in text


def test_kept_servers_are_told_with_their_time():
    """Until when, how long that is from now by the cloud's clock, and what puts them back."""
    assert kept((parked(old(1)),), NOW) == (
        "1 server of release r1, out of rotation, kept until 2026-01-01 12:30 UTC (29 min from now): `fab rollback` "
        "puts it back."
    )


def test_kept_servers_whose_time_has_passed_are_still_there():
    """Nothing deletes them in that moment; what does is named, and a rollback still works."""
    text = kept((parked(old(1)), parked(old(2))), NOW + timedelta(hours=1))

    assert "kept until the next deploy or `fab reap --yes` (the time was 2026-01-01 12:30 UTC)" in text
    assert "`fab rollback` puts them back" in text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NEXT_DEPLOY, "until the next deploy"),
        (UNTIL, "until 2026-01-01 12:30 UTC"),
        ("soon", "until soon"),
        ("2026-01-01T12:30:00", "until 2026-01-01T12:30:00"),
    ],
)
def test_until_when_is_read_from_metadata(value, words):
    """What somebody else has written there is shown as it is."""
    assert until(value) == words


def test_where_nothing_is_going_on_nothing_is_told():
    """No line for what is not the case."""
    assert list(told(Outlook(now=NOW))) == []
    assert len(list(told(Outlook(now=NOW, at_work=(claim(),), interrupted=found(), parked=(parked(old(1)),))))) == 3


def test_nobody_is_named_that_did_nothing():
    """The verb is that of the claim: a rollback is not called a deploy."""
    assert at_work(replace(claim(), verb="rollback"), NOW).startswith("The rollback of ada@laptop")
