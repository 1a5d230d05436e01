from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.cloud.balancers import balancers_for
from tasks.cloud.clb import CloudLoadBalancers
from tasks.cloud.identity import open_cloud
from tasks.cloud.octavia import OctaviaLoadBalancers
from tasks.cloud.profiles import BalancerApi
from tasks.errors import NotFound
from tests.cloud.octavia_wire import PROFILE
from tests.cloud.wire import SERVICES, Reply, Wire, token

Chosen = CloudLoadBalancers | OctaviaLoadBalancers
Choose = Callable[..., Chosen]


@pytest.fixture
def choose(wire: Wire, clouds_yaml: Path, monkeypatch: pytest.MonkeyPatch) -> Choose:
    """Choose in a cloud whose catalog lacks some services."""

    def chosen(*, without: tuple[str, ...] = (), api: BalancerApi | None = None) -> Chosen:
        for service_type in without:
            monkeypatch.delitem(SERVICES, service_type)
        wire.on("POST", "tokens", Reply(body=token(wire.url)))
        return balancers_for(open_cloud("here", clouds_yaml=clouds_yaml), replace(PROFILE, api=api))

    return chosen


@pytest.mark.parametrize(
    ("without", "client"),
    [
        ((), CloudLoadBalancers),
        (("load-balancer",), CloudLoadBalancers),
        (("rax:load-balancer",), OctaviaLoadBalancers),
    ],
)
def test_the_catalog_chooses(choose: Choose, without: tuple[str, ...], client: type[Chosen]) -> None:
    """The API that the catalog has is used; should it have both, Cloud Load Balancers."""
    assert isinstance(choose(without=without), client)


@pytest.mark.parametrize(
    ("api", "client"), [(BalancerApi.CLB, CloudLoadBalancers), (BalancerApi.OCTAVIA, OctaviaLoadBalancers)]
)
def test_a_setting_chooses(choose: Choose, api: BalancerApi, client: type[Chosen]) -> None:
    """An API that is named is used, whatever else there is."""
    assert isinstance(choose(api=api), client)


def test_an_api_that_is_named_must_be_there(choose: Choose) -> None:
    """Naming an API that the catalog lacks is an error, not a reason to take the other."""
    with pytest.raises(NotFound, match=r"(?s)no Octavia load balancers.*its catalog has: compute, network, rax:load"):
        choose(without=("load-balancer",), api=BalancerApi.OCTAVIA)


def test_a_cloud_without_load_balancers_says_what_it_has(choose: Choose) -> None:
    """A catalog with neither API is one clear error that ends with the exit code of the cloud's refusals."""
    with pytest.raises(NotFound) as caught:
        choose(without=("load-balancer", "rax:load-balancer"))

    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        "the cloud 'here' offers no load balancers in region ORD (catalog type neither rax:load-balancer nor "
        "load-balancer)\nits catalog has: compute, network"
    )
