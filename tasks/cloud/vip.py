"""Where the virtual IP of an Octavia load balancer lies. Refuses to guess between several places."""

from __future__ import annotations

from tasks.cloud.networks import NetworkApi
from tasks.cloud.profiles import BalancerProfile
from tasks.errors import SettingsError

# So many subnets fit into an error.
MANY = 8


def choose(profile: BalancerProfile, networks: NetworkApi) -> dict[str, str]:
    """Give the part of a new load balancer's body that says where its virtual IP lies (api-ref, create: vip_*).

    :raises SettingsError: the profile leaves it open, and there is not exactly one IPv4 subnet.
    :raises NotFound: a subnet or network of that name does not exist, or there is no network API to look for it.
    :raises Conflict: several have that name.
    """
    wanted = {"subnet": profile.vip_subnet, "network": profile.vip_network}
    named = {f"vip_{kind}_id": networks.identify(kind, name) for kind, name in wanted.items() if name}
    return named or {"vip_subnet_id": _only_subnet(networks)}


def _only_subnet(networks: NetworkApi) -> str:
    subnets = [subnet for subnet in networks.listed("subnet") if subnet["ip_version"] == 4]
    if len(subnets) == 1:
        return str(subnets[0]["id"])
    some = ", ".join(f"{subnet['name'] or subnet['id']} ({subnet['cidr']})" for subnet in subnets[:MANY])
    more = " …" if len(subnets) > MANY else ""
    raise SettingsError(
        f"the cloud has {len(subnets)} IPv4 subnets that a virtual IP could be on{f': {some}{more}' if some else ''}",
        advice="name the one that is meant as vip_subnet, or a network as vip_network",
    )
