"""Operators that claim a small cloud in turns, in virtual time: every interleaving of their calls can happen."""

import threading
from bisect import bisect_right
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tasks.errors import NotFound, Uncertain
from tasks.rollout.claiming import Claimant
from tasks.rollout.claims import WAITING, Claim, from_metadata
from tasks.rollout.contenders import Operator, living
from tests.rollout.builders import old

EPOCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Turns:
    """Lets threads run one at a time, in the order of the moments that they wait for; those are virtual seconds."""

    def __init__(self):
        self.time = 0.0
        self._due = {}
        self._parked = threading.Semaphore(0)
        self._errors = []

    def now(self):
        """Give the seconds that have passed."""
        return self.time

    def pause(self, seconds):
        """Let the others run for so long; alone, time just passes."""
        turn = self._due.get(threading.current_thread())
        if turn is None or not seconds:
            self.time += seconds
            return
        turn[0] = self.time + seconds
        self._parked.release()
        turn[1].acquire()

    def run(self, *acts):
        """Run these side by side until all have ended; raise the first error."""
        for act in acts:
            thread = threading.Thread(target=self._act, args=(act,), daemon=True)
            self._due[thread] = [self.time, threading.Semaphore(0)]
            thread.start()
        while self._due:
            thread = min(self._due, key=lambda one: self._due[one][0])
            self.time = self._due[thread][0]
            self._due[thread][1].release()
            self._parked.acquire()
        if self._errors:
            raise self._errors[0]

    def _act(self, act):
        me = threading.current_thread()
        turn = self._due[me]
        turn[1].acquire()
        try:
            act()
        except BaseException as error:  # noqa: BLE001  raised again by run
            self._errors.append(error)
        del self._due[me]
        self._parked.release()


class Cloud:
    """Servers that carry metadata. Lists may be `lag` seconds behind.

    :param delay: gives how long half a call takes, in seconds.
    """

    def __init__(self, *servers, turns=None, delay=lambda: 0.0, lag=lambda: 0.0):
        self.turns = turns or Turns()
        self.delay = delay
        self.lag = lag
        self._past = [(0.0, {one.id: one for one in servers})]
        self._metadata = {one.id: {claim.item: claim.to_value() for claim in one.claims} for one in servers}
        self.lost = []
        self.written = []

    @property
    def _now(self):
        return self._past[-1][1]

    def now(self):
        """Give the cloud's time."""
        return EPOCH + timedelta(seconds=self.turns.time)

    def servers(self):
        """List what there was a little while ago."""
        self.turns.pause(self.delay())
        moment = max(0.0, self.turns.time - self.lag())
        found = self._past[bisect_right(self._past, moment, key=lambda one: one[0]) - 1][1]
        self.turns.pause(self.delay())
        return tuple(found.values())

    def note(self, server_id, name, value):
        """Write an item. `lost` says for each call whether its answer is lost; it is written all the same."""
        self.turns.pause(self.delay())
        self._change(server_id, lambda items: items | {name: value})
        self.written.append((server_id, name))
        self.turns.pause(self.delay())
        if self.lost and self.lost.pop(0):
            raise Uncertain("the answer was lost")

    def erase(self, server_id, name):
        """Remove an item."""
        self.turns.pause(self.delay())
        if server_id in self._now:
            self._change(server_id, lambda items: {key: items[key] for key in items if key != name})
        self.turns.pause(self.delay())

    def claims(self):
        """Give what claims there are, by server."""
        return {one.id: one.claims for one in self._now.values()}

    def put(self, server):
        """Add a server, or change one."""
        self._metadata.setdefault(server.id, {claim.item: claim.to_value() for claim in server.claims})
        self._past.append((self.turns.time, {**self._now, server.id: server}))

    def remove(self, server_id):
        """Let a server vanish."""
        self._past.append((self.turns.time, {one: it for one, it in self._now.items() if one != server_id}))

    def _change(self, server_id, change):
        if server_id not in self._now:
            raise NotFound(f"{server_id} is gone")
        self._metadata[server_id] = change(self._metadata[server_id])
        self.put(replace(self._now[server_id], claims=from_metadata(self._metadata[server_id])))


def a_cloud(**means):
    """Give a cloud with two servers."""
    return Cloud(old(1), old(2), **means)


def claimant(cloud, name="a", *, ended=(), said=None, **changes):
    """Give the claim of an operator who begins now."""
    operator = Operator(owner=f"{name}@here", process=name, new_id=lambda: name, has_ended=lambda one: one in ended)
    values = {"verb": "deploy", "generation": "g", "number": WAITING, "since": cloud.now(), "beat": cloud.now()}
    claim = Claim(**({"id": name, "owner": operator.owner, "process": name} | values | changes))
    say = (said if said is not None else []).append
    return Claimant(claim, operator=operator, compute=cloud, clock=cloud.turns, say=say)


STRANGER = Operator(owner="eve@there", process="", new_id=str, has_ended=lambda _process: False)


def ids(claims):
    """Give the ids of claims."""
    return [claim.id for claim in claims]


def standing_at(cloud, server_id):
    """Give the ids of the claims that a server carries."""
    return ids(cloud.claims()[server_id])


def alive(cloud, operator=STRANGER):
    """Give the ids of the living claims."""
    return ids(living(cloud.servers(), cloud, operator))
