"""The record of servers by address, in little room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.cloud.node_records import read, written

FULL = {f"10.180.200.{100 + slot}": f"guestbook-production-20261123-083000-ab-{slot}" for slot in range(25)}
NAMES = st.dictionaries(
    st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)),
    st.text(st.characters(codec="ascii"), min_size=1, max_size=63).filter(str.isprintable),
    max_size=60,
)


def everything(items: dict[str, str]) -> dict[str, str]:
    """Read all items."""
    return {address: server for name, value in items.items() for address, server in read(name, value).items()}


@given(NAMES)
def test_what_is_written_can_be_read(names: dict[str, str]) -> None:
    """Whatever the names and however many, each is found again at its address."""
    assert everything(written(names)) == names


@given(NAMES)
def test_every_item_fits(names: dict[str, str]) -> None:
    """No name is longer than 32 characters and no value longer than 256 (CLB docs, metadata; atlas-lb)."""
    for name, value in written(names).items():
        assert len(name) <= 32
        assert len(value) <= 256


def test_a_full_load_balancer_leaves_room_for_many_more() -> None:
    """25 nodes take three items: beside the mark, seven whole generations are remembered."""
    assert len(written(FULL)) == 3


def test_one_node_takes_one_item() -> None:
    """A single name is recorded as it is, and can be read by people."""
    [(name, value)] = written({"10.0.0.1": "web-0"}).items()

    assert value == '["web-0",{"10.0.0.1":""}]'
    assert name.startswith("nodes-")


def test_the_same_is_the_same_item() -> None:
    """Whoever records the same again, in whatever order, names the item the same."""
    assert written(FULL) == written(dict(reversed(FULL.items())))


def test_nothing_is_no_item() -> None:
    """Where there are no nodes there is nothing to record."""
    assert written({}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("app", '["web-",{"10.0.0.1":"0"}]'),
        ("nodes-1", ""),
        ("nodes-1", "web-0"),
        ("nodes-1", "[]"),
        ("nodes-1", '["web-0"]'),
        ("nodes-1", '["web-",["10.0.0.1"]]'),
        ("nodes-1", "{}"),
        ("nodes-1", "7"),
    ],
)
def test_what_is_no_record_says_nothing(name: str, value: str) -> None:
    """Items of others, and those that somebody has changed by hand, name no servers."""
    assert read(name, value) == {}
