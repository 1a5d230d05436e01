"""A server that is rebooted."""

from tests.stories.clouds import Cloud
from tests.stories.operators import Operator, eventually


def test_app_and_worker_come_back(site: Operator):
    """After a reboot by the compute API the page answers again and the worker's heartbeat is renewed, by themselves."""
    cloud = site.cloud()
    [server] = cloud.servers().values()
    eventually(lambda: _heartbeat(cloud, server.name), "a first heartbeat")
    server.reboot("SOFT")
    eventually(lambda: cloud.servers()[server.name].status == "ACTIVE" or None, "the reboot")

    # Whatever stands there now may still be the last one from before; one that changes is of a worker that runs.
    last = eventually(lambda: _heartbeat(cloud, server.name), "the page after the reboot")
    eventually(lambda: _heartbeat(cloud, server.name) not in {None, last} or None, "a heartbeat after the reboot")
    assert cloud.page().server == server.name


def _heartbeat(cloud: Cloud, server: str) -> str | None:
    """Give when the worker of a server was seen last; None while the page does not answer."""
    page = cloud.page()
    return page.heartbeats.get(server) if page.status == 200 else None
