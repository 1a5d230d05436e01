"""A client of a running cloud's control API, for its command line."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from tasks.localcloud.locks import holder
from tasks.localcloud.state import StateDirectory

_PATIENCE = 10.0


class NotRunning(Exception):
    """There is no cloud to steer."""

    def __init__(self, state: StateDirectory) -> None:
        super().__init__(f"no local cloud runs in {state.path}: start one with `up`")


class Refused(Exception):
    """The control API did not do it; the text is its own."""


class Steering:
    """The faults of the cloud of a state directory.

    :raises NotRunning: it does not run.
    """

    def __init__(self, state: StateDirectory) -> None:
        if holder(state.lock) is None or not state.record.exists():
            raise NotRunning(state)
        access = state.access()
        self._url = urlsplit(access.control_url)
        self._headers = {"Authorization": f"Bearer {access.control_token}", "Content-Type": "application/json"}

    def faults(self) -> dict[str, Any]:
        """Give what is armed, and the sentence of every fault that is known."""
        return self._ask("GET", "/faults")

    def arm(self, fault: Mapping[str, Any]) -> dict[str, Any]:
        """Arm a fault; gives it as it was understood.

        :raises Refused: there is none of this name, or a number makes no sense.
        """
        return dict(self._ask("POST", "/faults", json.dumps(fault))["fault"])

    def clear(self, name: str) -> int:
        """Clear the faults of this name, all when it is empty; gives how many.

        :raises Refused: there is none of this name.
        """
        return int(self._ask("DELETE", f"/faults?{urlencode({'name': name})}")["cleared"])

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=_PATIENCE)
        try:
            connection.request(method, f"{self._url.path}{path}", body, self._headers)
            answer = connection.getresponse()
            said: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(said["error"])
        return said
