"""Questions to a running Envoy: is it live, which configuration has it taken, how are the backends, what was counted.

Speaks HTTP over Envoy's admin socket, a unix socket in its directory. Changes nothing.
"""

import asyncio
import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.localcloud.proxy.frontends import Endpoint, Health
from tasks.localcloud.sockets import short

ADMIN_SOCKET = "admin.sock"
ANSWER_SECONDS = 5.0


class EnvoySilent(ConnectionError):
    """Envoy does not answer on its admin socket: it has ended, or hangs."""

    def __init__(self, directory: Path, seen: Exception) -> None:
        self.directory = directory
        super().__init__(f"Envoy in {directory} does not answer ({seen}); its log there is envoy.log")


class SocketInDirectory(http.client.HTTPConnection):
    """HTTP over the unix socket in a directory."""

    def __init__(self, directory: Path) -> None:
        super().__init__("envoy", timeout=ANSWER_SECONDS)
        self._directory = directory

    def connect(self) -> None:
        """Open the connection; raises OSError when nobody listens."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short(self._directory / ADMIN_SOCKET) as path:
            self.sock.connect(path)


@dataclass(frozen=True, kw_only=True)
class Subscriptions:
    """Versions taken, one for each file that Envoy has of a frontend; refusals so far; first probes over or not."""

    versions: tuple[str, ...]
    refusals: int
    warm: bool

    def have_taken(self, version: str) -> bool:
        """Whether every file has been taken in this version."""
        return set(self.versions) == {version}


class EnvoyAdmin:
    """The admin interface of the Envoy whose socket is in `directory`.

    Every method raises EnvoySilent when Envoy does not answer within 5 seconds.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def live(self) -> bool:
        """Whether Envoy says that it is ready to serve."""
        return (await self._ask("/ready")).strip() == "LIVE"

    async def subscriptions(self, clusters: Iterable[str]) -> Subscriptions:
        """Return what Envoy says of its lists of listeners and clusters, and of the endpoints of these clusters."""
        sources = "|".join(["cluster_manager\\.cds", "listener_manager\\.lds", *(f"cluster\\.{c}" for c in clusters)])
        answer = await self._ask(f"/stats?filter=^({sources})\\.(version_text|update_rejected|warming_state)$")
        return subscriptions(answer)

    async def refusals(self) -> list[str]:
        """Say why Envoy refuses the configuration it was given last, in its own words."""
        reasons: dict[str, None] = {}  # the same reason may stand at several places
        for kind in ("dynamic_listeners", "dynamic_active_clusters", "dynamic_warming_clusters"):
            dump = json.loads(await self._ask(f"/config_dump?resource={kind}"))
            errors = (entry.get("error_state", {}) for entry in dump.get("configs", []))
            reasons |= dict.fromkeys(error["details"] for error in errors if "details" in error)
        return list(reasons)

    async def health(self, cluster: str) -> dict[Endpoint, Health]:
        """Return what Envoy has seen of each backend; one not probed yet counts as ONLINE."""
        answer = json.loads(await self._ask(f"/clusters?format=json&filter=^{cluster}$"))
        statuses = (status for status in answer.get("cluster_statuses", []) if status["name"] == cluster)
        return {endpoint(host): seen(host) for status in statuses for host in status.get("host_statuses", [])}

    async def counters(self, name: str) -> dict[str, int]:
        """Return Envoy's counters of one frontend, by the part of their name after the frontend's own."""
        answer = await self._ask(f"/stats?type=All&filter=^(cluster|http|tcp)\\.{name}\\.")
        lines = (line.partition(": ") for line in answer.splitlines())
        return {key.partition(f".{name}.")[2]: int(value) for key, _, value in lines if value.isdecimal()}

    async def _ask(self, path: str) -> str:
        return await asyncio.to_thread(self._fetch, path)

    def _fetch(self, path: str) -> str:
        connection = SocketInDirectory(self._directory)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            raise EnvoySilent(self._directory, error) from error
        finally:
            connection.close()


def subscriptions(answer: str) -> Subscriptions:
    """Read Envoy's statistics, one `name: value` a line, about its subscriptions."""
    statistics = [(name, value) for name, _, value in (line.partition(": ") for line in answer.splitlines())]
    return Subscriptions(
        versions=tuple(value.strip('"') for name, value in statistics if name.endswith("version_text")),
        refusals=sum(int(value) for name, value in statistics if name.endswith("update_rejected")),
        warm=all(value == "0" for name, value in statistics if name.endswith("warming_state")),
    )


def endpoint(host: dict[str, Any]) -> Endpoint:
    """Tell where a host of Envoy's listens."""
    bound = host["address"]["socket_address"]
    return Endpoint(address=bound["address"], port=bound["port_value"])


def seen(host: dict[str, Any]) -> Health:
    """Judge a host by its probes; before the first one it is not known to be bad."""
    status = host["health_status"]
    failed = status.get("failed_active_health_check", False) and not status.get("pending_active_hc", False)
    return Health.OFFLINE if failed else Health.ONLINE
