"""What a rollout is to reach, how it proceeds, and the bounds that it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.rollout.labels import NOBODY, Labels, Phase, Predecessor
from tasks.rollout.model import Listener, ServerRequest
from tasks.rollout.observation import Hook


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How a rotation proceeds.

    :param batches: how many new servers are to be in rotation after each batch; the last one is the goal's count.
    :param watch: seconds for which the new servers are watched after each batch.
    :param standby: how long the old servers are kept out of rotation: seconds, or NEXT_DEPLOY; 0 = they are deleted.
    """

    batches: tuple[int, ...] = ()
    watch: float = 0.0
    standby: float | str = 0.0

    @property
    def is_watched(self) -> bool:
        """Say whether a batch has to prove itself before the rotation goes on."""
        return self.watch > 0 or len(self.batches) > 1

    def target(self, proven: int, count: int) -> int:
        """Give how many new servers the next batch brings to, after `proven` of them have."""
        return next((batch for batch in self.batches if batch > proven), count) if self.is_watched else count


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What was found when the rollout began, and what it may not leave.

    :param floors: how many servers a load balancer, by name, has to go on sending requests to at any time.
    :param servers: how many servers of ours the quota allows at a time; None = any number.
    :param before: generations older than this one have had their time, whoever made them.
    :param nodes: how many nodes a load balancer may have; None = any number.
    """

    floors: Mapping[str, int] = field(default_factory=dict)
    servers: int | None = None
    nodes: int | None = None
    before: str = ""


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a rollout is to reach: `count` servers of `generation`, carrying `release`, behind every listener.

    :param seal: in the end nobody can log in to them any more.
    :param verb: what the operator's own commands are told is done.
    :param hooks: which of those commands there are.
    :param keep_failed: seconds for which one server that failed is kept for somebody to look at; 0 = none is.
    """

    app: str
    environment: str
    generation: str
    release: str
    count: int
    listeners: tuple[Listener, ...]
    build_attempts: int = 3
    seal: bool = False
    keep_failed: float = 0.0
    verb: str = "deploy"
    hooks: frozenset[Hook] = frozenset()
    pace: Pace = Pace()
    bounds: Bounds = field(default_factory=Bounds)
    previous: Predecessor = NOBODY

    def request(self, slot: int) -> ServerRequest:
        """Give the server of a slot, as it is asked for."""
        labels = Labels(
            app=self.app,
            environment=self.environment,
            generation=self.generation,
            slot=slot,
            release=self.release,
            phase=Phase.BOOTING,
            previous=self.previous,
        )
        return ServerRequest(name=f"{self.app}-{self.environment}-{self.generation}-{slot}", labels=labels)
