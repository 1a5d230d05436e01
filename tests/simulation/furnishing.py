"""What there is when a simulation begins: a cloud of some kind, who serves, what belongs to others, what was left."""

from tasks.rollout.labels import NEXT_DEPLOY, Phase, Predecessor
from tasks.rollout.model import ServerStatus
from tests.rollout.builders import HTTP, HTTPS, goal
from tests.simulation.world import Shape

OLD, OLDER, LEFT = "20260201-120000-aa", "20260101-120000-zz", "20260215-120000-bb"
FOREIGN = ({"app": "blog", "environment": "test"}, {"app": "shop", "environment": "production"}, {})
EVERY_STAGE = {"set up", "migrate", "test", "check"}


def furnish(world, random, count):
    """Fill a world for an app that is to have `count` servers."""
    world.listeners = (HTTP, HTTPS)[: random.choice((1, 2, 2))]
    world.shape = Shape(random, monitored=random.random() < 0.7, skewed=random.random() < 0.3)
    world.drain_seconds = random.choice((0.0, 5.0, 5.0, 100.0))
    world.first_boot_needs_another = random.random() < 0.1
    if random.random() < 0.85:
        _put_live(world, random.choice((count, count, 1, 2)), is_marked=random.random() < 0.95)
        if random.random() < 0.25:
            _put_parked(world, random.choice((count, 1)))
    world.kernel.let_pass(10.0)
    if random.random() < 0.15:
        world.servers.created(goal(1, world.listeners, generation=LEFT, release="r0").request(1))
    for metadata in FOREIGN:
        if random.random() < 0.25:
            _put_stranger(world, metadata, random)
    _tighten(world, random, count)


def _put_live(world, number, *, is_marked):
    live = [_put_old(world, slot, OLD) for slot in range(1, number + 1)]
    for listener in world.listeners:
        balancer = world.balancers.make(listener)
        balancer.marked = is_marked
        for machine in live:
            balancer.names[machine.ip] = machine.name
            world.balancers.join(balancer, machine.ip, listener.node_port).proved = True


def _put_parked(world, number):
    """Put in who served before those that serve now."""
    for machine in world.servers.by_id.values():
        machine.metadata["previous"] = str(Predecessor(OLDER, "r0", number))
    for slot in range(1, number + 1):
        _put_old(world, slot, OLDER).metadata["parked"] = NEXT_DEPLOY


def _put_old(world, slot, generation):
    wanted = goal(slot, world.listeners, generation=generation, release="r0").request(slot)
    labels = {"phase": Phase.SERVING.value, "migrated": "yes"}
    machine = world.servers.make(wanted.name, {**wanted.labels.to_metadata(), **labels})
    machine.changed(status=ServerStatus.ACTIVE)
    machine.up = True
    machine.stages |= EVERY_STAGE
    world.migrated.add(generation)
    return machine


def _put_stranger(world, metadata, random):
    stranger = world.servers.make("stranger", metadata)
    stranger.changed(status=ServerStatus.ACTIVE)
    stranger.up = True
    for balancer in world.balancers.by_id.values():
        if random.random() < 0.5:
            world.balancers.join(balancer, stranger.ip, balancer.listener.node_port)


def _tighten(world, random, count):
    """Leave little room, at times: for one server or node more than there have to be, or two."""
    live = len(world.servers.listed())
    if random.random() < 0.1:
        strangers = max((_strangers(balancer) for balancer in world.balancers.by_id.values()), default=0)
        world.node_limit = strangers + max(live, count) + random.choice((1, 2))
    if random.random() < 0.1:
        strangers = len(world.servers.by_id) - live
        world.quota = strangers + max(live, count) + random.choice((1, 2))


def _strangers(balancer):
    return sum(node.foreign for node in balancer.nodes.values())
