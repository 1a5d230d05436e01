"""The next deploy, while visitors are busy on the site."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.stories.clouds import Cloud
from tests.stories.conftest import an_operator_on
from tests.stories.operators import Ran, eventually
from tests.stories.traffic import Traffic, steady

# Two deploys and the load on them, on a machine that may have other things to do.
pytestmark = [pytest.mark.both_faces, pytest.mark.timeout(300)]
KINDS = ("keep_alive", "new_connection", "slow", "sign")


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """A second deploy that went on under load: what was there before, and what visitors saw."""

    cloud: Cloud
    before: frozenset[str]
    addresses: list[str]
    ran: Ran
    traffic: Traffic


@pytest.fixture(scope="module")
def replaced(face: str, caches: Path) -> Iterator[Replaced]:
    """Deploy twice; the second time under load that begins before it and ends after it."""
    with an_operator_on(face, caches) as someone:
        someone.manages("deploy")
        cloud = someone.cloud()
        before, addresses = frozenset(cloud.servers()), cloud.addresses()
        with steady(addresses) as traffic:
            eventually(lambda: _every_kind_saw(before, traffic), "visits of every kind to every old server")
            ran = someone.fab("deploy")
            new = frozenset(cloud.servers())
            eventually(lambda: _every_kind_saw(new, traffic), "visits of every kind to every new server")
        yield Replaced(cloud=cloud, before=before, addresses=addresses, ran=ran, traffic=traffic)


def _every_kind_saw(servers: frozenset[str], traffic: Traffic) -> bool | None:
    return all(servers <= traffic.servers(kind) for kind in KINDS) or None


def test_no_request_fails(replaced: Replaced):
    """Not one request fails: over kept and new connections, slow ones, and forms that are posted."""
    assert replaced.ran.code == 0, replaced.ran.text
    assert replaced.traffic.failed == []
    assert len(replaced.traffic.requests) > 200


def test_slow_requests_on_old_servers_end_well(replaced: Replaced):
    """Requests of 2 s that old servers had taken were answered by them in full."""
    old = [request for request in replaced.traffic.of("slow") if request.server in replaced.before]

    assert old
    assert min(request.seconds for request in old) >= 2


def test_every_server_is_replaced(replaced: Replaced):
    """Every old server is gone, and every new one answers visitors."""
    after = frozenset(replaced.cloud.servers())

    assert len(after) == 2
    assert not after & replaced.before
    assert {replaced.cloud.page(address).server for address in replaced.addresses * 4} == after


def test_the_address_stays(replaced: Replaced):
    """The site is still found at the same address and ports."""
    assert replaced.cloud.addresses() == replaced.addresses


def test_nothing_that_visitors_wrote_is_lost(replaced: Replaced):
    """The last entries that visitors were told had been taken are all on the page, whichever server took them."""
    page = requests.get(f"{replaced.addresses[0]}/", timeout=30).text
    last = replaced.traffic.messages[-20:]

    assert len(last) == 20
    assert [message for message in last if message not in page] == []
