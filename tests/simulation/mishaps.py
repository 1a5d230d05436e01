"""What goes wrong that no call brings about: nodes flap, servers break down, operators are struck."""

from tasks.rollout.model import ServerStatus
from tests.simulation.faults import Chances, Fault

RATES = (0.002, 0.01, 0.06)
MOST_POINTS = 300


def spread_faults(world, random):
    """Let calls go wrong, from some moment on: some kinds of faults, each as often as the seed says."""
    wild = 0.5 * random.random()
    rates = {fault: random.choice(RATES) for fault in Fault if random.random() < wild}
    world.chances = Chances(random, {})
    world.kernel.after(random.choice((0.0, random.uniform(0.0, 90.0))), _begin_faults, world, Chances(random, rates))


def end_faults(world, random):
    """From now on everything goes well."""
    world.chances = Chances(random, {})
    world.is_calm = True


def plan_mishaps(world, random):
    """Let some things happen at some moments."""
    for chance, mishap in ((0.3, _flap), (0.06, _break_down), (0.06, _crash)):
        while random.random() < chance:
            world.kernel.after(random.expovariate(1 / 40), mishap, world, random)


def strike(operator, random):
    """Let something happen to an operator in the middle of his work."""
    point, points = random.randrange(1, MOST_POINTS), operator.process.at_point
    match random.randrange(9):
        case 0 | 1 | 2:
            points[point] = operator.die
        case 3 | 4:
            points[point] = operator.press_ctrl_c
        case 5:
            points[point] = operator.press_ctrl_c
            points[point + random.randrange(1, 40)] = operator.die
        case _:
            seconds = random.choice((5.0, 50.0, 200.0, 500.0))
            points[point] = lambda: operator.suspend(seconds)


def _begin_faults(world, chances):
    if not world.is_calm:
        world.note("~~~ faults begin ~~~")
        world.chances = chances


def _flap(world, random):
    nodes = [(balancer, node) for balancer in world.balancers.by_id.values() for node in balancer.nodes.values()]
    if nodes and not world.is_calm:
        balancer, node = random.choice(nodes)
        world.note(f"{node.address} flaps on {balancer.name}")
        world.balancers.flap(balancer, node, random.expovariate(1 / 8))


def _break_down(world, random):
    machine = _victim(world, random)
    if machine:
        world.note(f"{machine} breaks down")
        world.servers.break_down(machine, "its host is gone")


def _crash(world, random):
    machine = _victim(world, random)
    if machine:
        world.note(f"the app of {machine} crashes for good")
        world.servers.crash(machine)


def _victim(world, random):
    running = [one for one in world.servers.by_id.values() if one.status is ServerStatus.ACTIVE and one.view()]
    return random.choice(running) if running and not world.is_calm else None
