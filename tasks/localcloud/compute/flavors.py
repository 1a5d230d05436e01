"""The flavors. Their sizes count against the quota; a local server may use whatever its machine has."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.localcloud.compute.refusals import NotFound


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """A size of server; `ram` and `swap` in MiB, `disk` in GiB."""

    id: str
    name: str
    ram: int
    vcpus: int
    disk: int
    swap: int = 0


FLAVORS = {
    flavor.id: flavor
    for flavor in (
        Flavor(id="general1-1", name="1 GB General Purpose v1", ram=1024, vcpus=1, disk=20),
        Flavor(id="general1-2", name="2 GB General Purpose v1", ram=2048, vcpus=2, disk=40),
        Flavor(id="general1-4", name="4 GB General Purpose v1", ram=4096, vcpus=4, disk=80),
        Flavor(id="general1-8", name="8 GB General Purpose v1", ram=8192, vcpus=8, disk=160),
    )
}
"""Rackspace's ids and sizes (Cloud Servers docs, flavors)."""


def find_flavor(flavor_id: str) -> Flavor:
    """Give a flavor.

    :raises NotFound: there is none of this id.
    """
    try:
        return FLAVORS[flavor_id]
    except KeyError:
        raise NotFound(f"Flavor {flavor_id} could not be found.") from None
