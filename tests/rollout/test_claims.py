"""Claims as values: how they are written and read, merged and put in order, and when they expire."""

import json
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.rollout.claims import (
    BEAT_SECONDS,
    EXPIRY_SECONDS,
    FENCE_SECONDS,
    PREFIX,
    WAITING,
    Claim,
    from_metadata,
    standing,
)

NOVA_LIMIT = 255
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEPT = string.ascii_letters + string.digits + "@._:-"

ids = st.text(string.hexdigits, min_size=1, max_size=32)
verbs = st.sampled_from(["deploy", "rotate", "rollback", "abort", "undo"])
generations = st.sampled_from(["", "20260301-120000-ab"])
names = st.text(KEPT, max_size=64)
times = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001  hypothesis adds the zone
    lambda time: time.replace(microsecond=0, tzinfo=UTC)
)
numbers = st.integers(-1, 10**9)


def claims(id=ids, owner=names, process=names, beat=times):  # noqa: A002  as the field is called
    """Give any claims."""
    return st.builds(
        Claim, id=id, number=numbers, verb=verbs, generation=generations, owner=owner, process=process, since=times,
        beat=beat,
    )  # fmt: skip


def a_claim(**changes):
    """Build a claim that is as old as its heartbeat."""
    values = {"id": "c1", "number": 1, "verb": "deploy", "generation": "g7", "owner": "ada@here", "process": "b:1:2:3"}
    return Claim(**({**values, "since": NOON, "beat": NOON} | changes))


def written(**changes):
    """Give the values of a written claim, by their places in it, some of them changed."""
    fields = ("number", "verb", "generation", "owner", "process", "since", "beat")
    values = dict(zip(fields, json.loads(a_claim().to_value()), strict=True))
    return list((values | changes).values())


@given(claims())
def test_what_is_written_is_read(claim):
    """A claim that is written to a server's metadata is read from there as it was."""
    assert from_metadata({claim.item: claim.to_value()}) == (claim,)


@given(
    st.dictionaries(ids, claims()),
    st.dictionaries(st.text().filter(lambda name: not name.startswith(PREFIX)), st.text()),
)
def test_claims_stand_among_other_items(found, others):
    """A server may carry several claims beside its labels and whatever else: all of them are read, and nothing else."""
    ours = {name: replace(claim, id=name) for name, claim in found.items()}

    read = from_metadata({**{claim.item: claim.to_value() for claim in ours.values()}, **others})

    assert {claim.id: claim for claim in read} == ours
    assert len(read) == len(ours)


@given(claims(owner=st.text(), process=st.text()))
@example(a_claim(owner="ä" * 300 + "@" + '"\\' * 300, process="\U0001f600" * 300, number=10**9))
def test_no_claim_is_too_long(claim):
    """Whoever the owner, Nova takes the value: it counts characters, and allows 255 of them; and it can be read."""
    value = claim.to_value()

    assert len(value) <= NOVA_LIMIT
    assert value.isascii()
    assert len(from_metadata({claim.item: value})) == 1


@given(claims(owner=st.text(), process=st.text()))
def test_nobody_else_is_named(claim):
    """Of an owner whose name does not fit the beginning is kept, so that people know whom to ask."""
    (read,) = from_metadata({claim.item: claim.to_value()})

    assert len(read.owner) == min(len(claim.owner), 64)
    assert all(kept in ("?", char) for kept, char in zip(read.owner, claim.owner, strict=False))
    assert replace(read, owner="", process="") == replace(claim, owner="", process="")


@given(times, st.integers(-12, 14))
def test_zones_make_no_difference(time, hours):
    """A claim is written in universal time: every operator reads the same moment."""
    elsewhere = time.astimezone(timezone(timedelta(hours=hours)))

    assert a_claim(beat=elsewhere).to_value() == a_claim(beat=time).to_value()


# Infinite numbers have an example of their own below.
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=8),
    max_leaves=12,
)


@given(st.text() | json_values.map(json.dumps))
def test_unreadable_items_are_ignored(value):
    """An item that only looks like a claim is no claim, and keeps no other from being read."""
    claim = a_claim()

    read = from_metadata({PREFIX + "strange": value, claim.item: claim.to_value()})

    assert claim in read


@given(st.sampled_from(range(7)), json_values)
def test_a_claim_with_a_strange_part(place, value):
    """Whatever stands in one of its places: it is a claim that can be compared and aged, or none."""
    parts = written()
    parts[place] = value

    for claim in from_metadata({PREFIX + "strange": json.dumps(parts)}):
        assert isinstance(claim.has_expired(NOON), bool)
        assert len(standing([claim, a_claim(), replace(a_claim(), id="strange")])) == 2


@pytest.mark.parametrize(
    "strange",
    [
        written(number="many"),
        written(number=float("inf")),
        written(number=float("nan")),
        written(beat="2026-03-01T12:00:00"),
        written(since="2026-03-01"),
        written(beat=1_772_366_400),
        written(beat="soon"),
        written()[:-1],
        [*written(), "more"],
        [],
        {},
        None,
        "deploy",
    ],
    ids=str,
)
def test_what_is_no_claim(strange):
    """Parts that are missing, too many or of another kind make no claim; a time without a zone is no time."""
    assert from_metadata({PREFIX + "c1": json.dumps(strange)}) == ()


@given(st.lists(claims(id=st.sampled_from(["a", "b", "c"]))))
def test_claims_are_merged(found):
    """Each claim stands once, in the queue's order, with its last heartbeat and the highest number of its copies.

    Copies that servers were born with say nothing beside others.
    """
    merged = standing(found)

    assert [claim.rank for claim in merged] == sorted(claim.rank for claim in merged)
    assert {claim.id for claim in merged} == {claim.id for claim in found}
    assert len(merged) == len({claim.id for claim in found})
    for claim in merged:
        every = [one for one in found if one.id == claim.id]
        copies = [one for one in every if one.number != WAITING] or every
        assert claim.beat == max(one.beat for one in copies)
        assert claim.number == max(one.number for one in copies)
        assert any(replace(one, number=claim.number) == claim for one in copies)


@given(st.lists(claims(id=st.sampled_from(["a", "b"]))), st.randoms())
def test_the_queue_does_not_depend_on_the_order_of_servers(found, random):
    """Two operators to whom the cloud lists its servers in different orders see the same queue."""
    shuffled = list(found)
    random.shuffle(shuffled)

    assert [(it.rank, it.beat) for it in standing(found)] == [(it.rank, it.beat) for it in standing(shuffled)]


@given(st.lists(claims(id=st.sampled_from(["a", "b", "c"]))))
def test_merged_claims_stay_as_they_are(found):
    """Merging what was merged changes nothing."""
    assert standing(standing(found)) == standing(found)


def test_what_is_done_last_is_what_counts():
    """Of two copies the one with the later heartbeat says what is being done, and what it is done for."""
    before = a_claim()
    after = a_claim(verb="undo", generation="g8", beat=NOON + timedelta(seconds=1))

    assert standing([after, before]) == standing([before, after]) == (after,)


def test_a_claim_that_has_chosen_does_not_choose_again():
    """A number that one server knows is not taken back by a later copy without one on another server."""
    chosen, later = a_claim(number=7), a_claim(number=0, beat=NOON + timedelta(seconds=1))

    assert standing([chosen, later]) == (replace(later, number=7),)


def test_the_lower_number_is_first_and_then_the_id():
    """Two that have chosen the same number are told apart by their ids, in the same way by everybody."""
    queue = standing([a_claim(id="b"), a_claim(id="c", number=0), a_claim(id="a"), a_claim(id="0", number=2)])

    assert [claim.id for claim in queue] == ["c", "a", "b", "0"]


@pytest.mark.parametrize(
    ("silence", "expired"),
    [
        (timedelta(0), False),
        (timedelta(seconds=EXPIRY_SECONDS) - timedelta(microseconds=1), False),
        (timedelta(seconds=EXPIRY_SECONDS), True),
        (timedelta(days=365), True),
        (-timedelta(seconds=1), False),
    ],
)
def test_a_claim_lives_as_long_as_its_heartbeat(silence, expired):
    """It expires a minute after the last one, however old it is, and not a moment before."""
    claim = a_claim(since=NOON - timedelta(days=1))

    assert claim.has_expired(NOON + silence) is expired


@given(claims(), st.timedeltas(timedelta(0), timedelta(days=999)), st.timedeltas(timedelta(0), timedelta(days=999)))
def test_an_expired_claim_stays_expired(claim, first, then):
    """Without a heartbeat no claim comes to life again."""
    if claim.has_expired(claim.beat + first):
        assert claim.has_expired(claim.beat + first + then)


def test_an_owner_gives_up_before_others_take_over():
    """There is time for several heartbeats before the fence, and for requests under way between it and the expiry."""
    lost_in_writing = 1.0  # a heartbeat is written in whole seconds

    assert 3 * BEAT_SECONDS < FENCE_SECONDS < FENCE_SECONDS + 15 <= EXPIRY_SECONDS - lost_in_writing
