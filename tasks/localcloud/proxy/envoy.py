"""One Envoy, the machine under every load balancer of the local cloud.

Owns the set of published frontends and Envoy's files. Refuses to know which API a frontend came from.
"""

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tasks.localcloud.proxy import config as envoy_config
from tasks.localcloud.proxy.admin import ADMIN_SOCKET, EnvoyAdmin, EnvoySilent, Subscriptions
from tasks.localcloud.proxy.events import HEALTH_LOG, HealthEvent, health_events
from tasks.localcloud.proxy.frontends import Condition, Endpoint, Frontend, Health
from tasks.localcloud.proxy.offline import TakenForOffline
from tasks.localcloud.proxy.process import EnvoyProcess, until
from tasks.localcloud.proxy.severing import FIRST_MARK, LAST_MARK, CannotSever, sever_accepted, sever_marked

log = logging.getLogger(__name__)

TAKEN_SECONDS = 10.0
WARM_SECONDS = 10.0
CUT_SECONDS = 1.0


class EnvoyRefused(Exception):
    """Envoy did not take a change; what was published before goes on as it was."""

    def __init__(self, frontend: str, reason: str) -> None:
        self.frontend = frontend
        super().__init__(f"Envoy refused a change of {frontend}: {reason}")


class Envoy:
    """Frontends, really served.

    `publish` and `withdraw` return when Envoy has taken the change. `directory` is made when missing (mode 0700), holds
    Envoy's configuration, admin socket and log (envoy.log), and is emptied, and removed, by `close`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process = EnvoyProcess(directory)
        self._admin = EnvoyAdmin(directory)
        self._frontends: Mapping[str, Frontend] = {}
        self._marks: dict[str, int] = {}
        self._taken_for_offline = TakenForOffline(self._offer_again)
        self._next_mark = itertools.cycle(range(FIRST_MARK, LAST_MARK + 1))
        self._versions = map(str, itertools.count(1))
        self._one_change = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Envoy's process id.

        :raises ProcessLookupError: it was never started.
        """
        return self._process.pid

    async def start(self) -> None:
        """Run Envoy without any frontend; returns when it is live.

        :raises EnvoyDown: it ended, or was not live within 15 seconds; the message has its last words.
        """
        self._process.prepare()
        self._write("bootstrap", envoy_config.bootstrap(str(self._directory.resolve()), ADMIN_SOCKET))
        self._write_lists("0")
        await self._process.start(self._admin.live)

    async def close(self) -> None:
        """End Envoy and remove its files; whatever is in flight is cut. Harmless when it never ran."""
        await self._taken_for_offline.close()
        await self._process.end()
        for pattern in ("*.json", "*.log", ADMIN_SOCKET):
            for path in self._directory.glob(pattern):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # somebody else's files lie there, or it never existed
            self._directory.rmdir()

    async def publish(self, frontend: Frontend) -> None:
        """Serve a frontend, or serve it in its new shape; established connections to DISABLED backends are cut.

        :raises EnvoyRefused: Envoy refused it, or said nothing within 10 seconds.
        """
        if frontend.name not in self._marks:
            self._marks[frontend.name] = next(self._next_mark)
        async with self._one_change:
            await self._change(frontend.name, {**self._frontends, frontend.name: frontend})
        await self._warm(frontend.name)
        await self._cut_disabled(frontend)

    async def withdraw(self, name: str) -> None:
        """Serve a frontend no longer, and cut its clients' connections. Unknown names are fine.

        :raises EnvoyRefused: Envoy said nothing within 10 seconds.
        """
        async with self._one_change:
            withdrawn = self._frontends.get(name)
            await self._change(name, {other: kept for other, kept in self._frontends.items() if other != name})
        if withdrawn:
            del self._marks[name]
            await self._cut(partial(sever_accepted, self.pid, withdrawn.listens))

    async def health(self, name: str) -> dict[Endpoint, Health]:
        """Return what Envoy has seen of a frontend's backends; those it does not have yet are missing.

        :raises EnvoySilent: it does not answer.
        """
        return self._taken_for_offline.over(name, await self._admin.health(name))

    async def take_for_offline(self, name: str, backend: Endpoint, seconds: float) -> None:
        """Take a backend for OFFLINE for so long, however well it answers: requests go to the others."""
        await self._taken_for_offline.begin(name, backend, seconds)

    def health_events(self, name: str) -> list[HealthEvent]:
        """List when and why the backends of a frontend went OFFLINE and came back, oldest first."""
        return [event for event in health_events(self._directory / HEALTH_LOG) if event.frontend == name]

    async def counters(self, name: str) -> dict[str, int]:
        """Return Envoy's counters of a frontend since it started, by Envoy's names.

        :raises EnvoySilent: it does not answer.
        """
        return await self._admin.counters(name)

    async def _offer_again(self, name: str) -> None:
        """Let Envoy take a frontend anew, as it is by now. One that is withdrawn, or an Envoy that is down, is left."""
        with contextlib.suppress(EnvoySilent, TimeoutError):
            async with self._one_change:
                await self._offer(name)

    async def _change(self, name: str, frontends: Mapping[str, Frontend]) -> None:
        before, self._frontends = self._frontends, frontends
        try:
            refusal = await self._offer(name)
        except EnvoySilent as silence:
            refusal = str(silence)
        except TimeoutError:
            refusal = f"it said nothing within {TAKEN_SECONDS:.0f} s; its log is {self._directory / 'envoy.log'}"
        if refusal:
            self._frontends = before
            with contextlib.suppress(EnvoySilent, TimeoutError):
                await self._offer(name)  # taken back before the next change, so that no refusal is blamed on that
            raise EnvoyRefused(name, refusal)

    async def _offer(self, name: str) -> str | None:
        """Write a change down, wait until Envoy has taken or refused it, and return why it refused."""
        # A cluster that is withdrawn lives on, in its old version, until its last request has ended.
        clusters = [name] if name in self._frontends else []
        before = await self._admin.subscriptions(clusters)
        version = next(self._versions)
        self._write_all(name, version)
        seen: Subscriptions = before

        async def answered() -> bool:
            nonlocal seen
            seen = await self._admin.subscriptions(clusters)
            return seen.refusals > before.refusals or seen.have_taken(version)

        await until(answered, seconds=TAKEN_SECONDS)
        if seen.refusals == before.refusals:
            return None
        return "; ".join(await self._admin.refusals()) or f"its log {self._directory / 'envoy.log'} says why"

    async def _warm(self, name: str) -> None:
        """Wait for a cluster's first probes; a backend that lets them time out does not make the change fail."""

        async def warm() -> bool:
            return (await self._admin.subscriptions([name])).warm

        with contextlib.suppress(TimeoutError, EnvoySilent):
            await until(warm, seconds=WARM_SECONDS)

    async def _cut_disabled(self, frontend: Frontend) -> None:
        mark = self._marks[frontend.name]
        for backend in frontend.backends:
            if backend.condition is Condition.DISABLED:
                await self._cut(partial(sever_marked, self.pid, backend.endpoint, mark))

    async def _cut(self, sever: Callable[[], int]) -> None:
        """Cut until there is nothing left to cut: Envoy's workers may be a moment behind its admin interface."""

        async def nothing_left() -> bool:
            return await asyncio.to_thread(sever) == 0

        try:
            await until(nothing_left, seconds=CUT_SECONDS)
        except CannotSever as refusal:
            log.warning("%s", refusal)
        except TimeoutError:
            log.warning("clients reconnect faster than their connections are cut")

    def _write_all(self, name: str, version: str) -> None:
        """Endpoints first, so that a new cluster finds its own."""
        if name in self._frontends:
            assignment = envoy_config.endpoints(self._taken_for_offline.without(self._frontends[name]))
            self._write(f"endpoints-{name}", envoy_config.resources(version, [assignment]))
        else:
            (self._directory / f"endpoints-{name}.json").unlink(missing_ok=True)
        self._write_lists(version)

    def _write_lists(self, version: str) -> None:
        frontends = self._frontends.values()
        directory = str(self._directory.resolve())
        clusters = envoy_config.clusters(frontends, directory=directory, marks=self._marks)
        self._write("clusters", envoy_config.resources(version, clusters))
        self._write("listeners", envoy_config.resources(version, envoy_config.listeners(frontends)))

    def _write(self, name: str, document: Any) -> None:
        """Replace a file in one step: Envoy watches for renames and must never read half a file."""
        path = self._directory / f"{name}.json"
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(document))
        draft.replace(path)
