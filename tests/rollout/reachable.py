"""States that a deploy can find: whatever a run that was killed anywhere, or a bad cloud, has left behind."""

from hypothesis import strategies as st

from tasks.errors import WrongHostKey
from tasks.rollout.goal import Bounds
from tasks.rollout.labels import Phase
from tasks.rollout.model import Condition, NodeStatus, ServerStatus
from tests.rollout.builders import HTTP, HTTPS, NEW, balancer, goal, node, old, seen, server

NAMES = (HTTP.name, HTTPS.name)
useful = st.sampled_from([ServerStatus.ACTIVE] * 4 + [ServerStatus.BUILD, ServerStatus.ERROR, ServerStatus.SHUTOFF])
places = st.lists(st.sampled_from([None, *Condition]), min_size=2, max_size=2)


@st.composite
def servers(draw, count):
    """Give servers of the new generation: some slots empty, some with two servers."""
    found = []
    for slot in draw(st.lists(st.integers(1, count), max_size=count + 1)):
        phase = draw(st.sampled_from(Phase))
        twin = {"id": f"new-{slot}-{len(found)}", "private_ip": f"10.0.2.{10 * slot + len(found)}"}
        migrated = phase.reached(Phase.TESTED if slot == 1 else Phase.READY)  # the leader is tested after it migrated
        found.append(server(slot, phase, migrated=migrated, status=draw(useful), **twin))
    return found


@st.composite
def states(draw):
    """Give a goal and what a run begins with, which has not taken the claim."""
    count = draw(st.integers(1, 4))
    new = draw(servers(count))
    gone = [old(slot) for slot in range(1, 1 + draw(st.integers(0, 4)))]
    ready = [one for one in new if one.phase.reached(Phase.READY) and one.status is ServerStatus.ACTIVE]
    held = {name: [] for name in NAMES}
    for one in [*gone, *_one_a_slot(ready)]:
        for name, condition in zip(NAMES, draw(places), strict=True):
            if condition:
                held[name].append(node(one, condition, draw(st.sampled_from(NodeStatus))))
    room = draw(st.none() | st.integers(1, 4))
    bounds = Bounds(servers=None if room is None else max(count, len(gone)) + len(new) + room)
    wrong = {one.id: WrongHostKey("another key", server=one.name) for one in new if draw(st.integers(0, 9)) == 0}
    balancers = [balancer(*held[one.name], listener=one) for one in (HTTP, HTTPS)]
    state = seen(*new, *gone, balancers=balancers, held=False, probes={}, distrusted=_untrusted(wrong, held))
    return goal(count=count, bounds=bounds, generation=NEW), state


def _one_a_slot(ready):
    return {one.labels.slot: one for one in ready}.values()


def _untrusted(wrong, held):
    """Leave out servers in rotation: they were trusted once, and nobody logs in to them any more."""
    nodes = {one.id for those in held.values() for one in those}
    return {server_id: error for server_id, error in wrong.items() if f"n-{server_id}" not in nodes}
