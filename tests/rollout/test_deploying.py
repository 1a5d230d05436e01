"""Whole rollouts against the simulated cloud, whose own rules are checked after every act."""

from dataclasses import replace

import pytest

from tasks.errors import BuildFailed, CloudError, DeployError, GuardRefused, HostError, Reverted, Unfinished
from tasks.rollout import deploying, fleet
from tasks.rollout.events import Failed, Reverting
from tasks.rollout.labels import Phase
from tasks.rollout.reverting import in_rotation
from tasks.rollout.steps import Check, Migrate, SetUp, TestApp
from tests.rollout.builders import HTTP, HTTPS, goal
from tests.simulation.faults import Fault
from tests.simulation.world import World, once, refused

FIRST = goal(generation="20260101-000000-aa", release="r1")
SECOND = goal(generation="20260202-000000-bb", release="r2")


def names(wanted, count=2):
    """Give the names of a generation's servers."""
    return {wanted.request(slot).name for slot in range(1, count + 1)}


@pytest.fixture
def world():
    """Give an empty cloud."""
    return World()


@pytest.fixture
def live(world):
    """Give a cloud on which the first generation serves."""
    deploying.deploy(FIRST, world.site())
    world.freeze_capacity()
    world.calls.clear()
    return world


def test_a_first_deploy_serves_on_every_listener(world):
    """From nothing to two servers behind two load balancers that share one virtual IP."""
    seen = deploying.deploy(FIRST, world.site())

    assert world.serving() == names(FIRST)
    assert {balancer.name for balancer in seen.balancers} == {HTTP.name, HTTPS.name}
    assert len({balancer.virtual_ips for balancer in seen.balancers}) == 1
    assert all(server.phase is Phase.SERVING for server in seen.servers)


def test_every_server_goes_through_every_stage_and_one_migrates(world):
    """Set-up, tests and check run on each server, the migrations on the leader alone."""
    deploying.deploy(FIRST, world.site())

    stages = sorted(stage for stage, _ in world.ran)
    assert stages == ["check", "check", "migrate", "set up", "set up", "test", "test"]


def test_a_later_deploy_replaces_every_server(live):
    """Only the new generation is left, and it serves."""
    deploying.deploy(SECOND, live.site())

    assert live.names() == live.serving() == names(SECOND)


def test_a_deploy_again_without_a_change_still_replaces_every_server(live):
    """Servers are disposable: the same release makes new servers all the same."""
    again = replace(FIRST, generation="20260303-000000-cc")
    deploying.deploy(again, live.site())

    assert live.serving() == names(again)


def test_unfinished_servers_of_an_earlier_deploy_are_deleted(live):
    """What a killed deploy has left behind goes when the next one is through."""
    live.servers.created(goal(generation="20260115-000000-ff").request(1))
    deploying.deploy(SECOND, live.site())

    assert live.names() == names(SECOND)


@pytest.mark.parametrize("stage", ["set up", "migrate", "test", "check"])
def test_a_stage_that_fails_deletes_the_new_servers_only(live, stage):
    """The old ones serve on, no load balancer was touched, and the error is the stage's own."""
    live.fault = lambda call: HostError(f"{stage} failed", server="x") if call == f"{stage} 1" else None

    with pytest.raises(HostError, match=stage) as caught:
        deploying.deploy(SECOND, live.site())

    assert caught.value.exit_code == 4
    assert live.names() == live.serving() == names(FIRST)
    assert not [call for call in live.calls if call.startswith(("add", "set ENABLED", "set DRAINING", "remove"))]


def test_a_rotation_that_fails_on_the_second_load_balancer_is_undone_on_the_first(live):
    """The new nodes leave the first again; nobody who uses the site notices."""
    live.fault = refused(f"add lb-{HTTPS.name}")

    with pytest.raises(Reverted) as caught:
        deploying.deploy(SECOND, live.site())

    assert caught.value.exit_code == 5
    assert live.names() == live.serving() == names(FIRST)


def test_draining_that_fails_puts_the_old_nodes_back(live):
    """Old nodes that drain already are ENABLED again before the new ones leave."""
    live.fault = refused(f"set DRAINING lb-{HTTPS.name}")

    with pytest.raises(Reverted):
        deploying.deploy(SECOND, live.site())

    assert live.serving() == names(FIRST)


def test_after_old_nodes_have_left_a_failure_is_not_undone(live):
    """The new servers serve; what remains is said, with exit code 7, and the next deploy takes it away."""
    live.fault = refused(f"remove lb-{HTTPS.name}")

    with pytest.raises(Unfinished, match="old ones remain") as caught:
        deploying.deploy(SECOND, live.site())

    assert caught.value.exit_code == 7
    assert live.serving() == names(SECOND)


def test_an_undoing_that_fails_says_what_remains(live):
    """The names of the new servers that could not be deleted are in the message."""
    broken = ("test 1", "delete")
    live.fault = lambda call: CloudError(f"{call} refused") if call.startswith(broken) else None

    with pytest.raises(Unfinished, match=f"remain: .*{SECOND.generation}-1"):
        deploying.deploy(SECOND, live.site())

    assert live.serving() == names(FIRST)


def test_a_build_that_dies_is_replaced(live):
    """A dead build costs one more server, not the deploy."""
    live.fault = once("create 1", Fault.BUILD_DIES)
    deploying.deploy(SECOND, live.site())

    assert live.serving() == names(SECOND)
    assert live.calls.count("create 1") == 2


def test_builds_that_keep_dying_end_the_deploy(live):
    """After the third dead build of a slot the cloud's words are passed on, and nothing is left."""
    live.fault = lambda call: Fault.BUILD_DIES if call == "create 1" else None
    with pytest.raises(BuildFailed, match="No valid host was found"):
        deploying.deploy(SECOND, live.site())

    assert live.calls.count("create 1") == 3
    assert live.names() == names(FIRST)


def test_a_build_that_hangs_is_replaced(live):
    """A server that stays in BUILD beyond the limit counts as dead."""
    live.fault = once("create 1", Fault.BUILD_HANGS)
    deploying.deploy(SECOND, live.site(build=20.0))

    assert live.serving() == live.names() == names(SECOND)
    assert live.calls.count("create 1") == 2


@pytest.mark.parametrize("lost", [Fault.LOST, Fault.SILENT_DONE])
def test_a_create_whose_answer_was_lost_is_not_asked_twice(live, lost):
    """The server that was made all the same is found by its slot and used."""
    live.fault = once("create 1", lost)
    deploying.deploy(SECOND, live.site())

    assert live.names() == names(SECOND)
    assert live.calls.count("create 1") == 1


def test_a_cloud_that_does_not_answer_any_more_is_said(live):
    """When not even looking is possible, nothing is undone, and the first failure is still told."""
    broken = []

    def fault(call):
        if call == "test 1" or broken:
            broken.append(call)
            return CloudError(f"{call} refused")
        return None

    live.fault = fault
    with pytest.raises(Unfinished, match="test 1 refused\nNothing could be undone"):
        deploying.deploy(SECOND, live.site())

    assert live.serving() == names(FIRST)


def test_ctrl_c_is_undone_like_any_failure(live):
    """The new servers go, the old ones serve."""
    ann = live.operator("ann")
    live.fault = lambda call: ann.press_ctrl_c() if call == "test 1" else None
    with pytest.raises(DeployError, match="Ctrl-C") as caught:
        deploying.deploy(SECOND, ann.site)

    assert caught.value.exit_code == 4
    assert live.names() == live.serving() == names(FIRST)


def test_a_bug_of_ours_leaves_no_servers_behind(live):
    """An unexpected exception is raised as it is, after the new servers were deleted."""
    live.fault = lambda call: ZeroDivisionError("a bug") if call == "test 1" else None

    with pytest.raises(ZeroDivisionError):
        deploying.deploy(SECOND, live.site())

    assert live.names() == names(FIRST)


def test_a_load_balancer_in_error_stops_the_deploy_before_a_server_is_built(live):
    """Preflight says what is wrong while nothing has been made."""
    live.balancers.by_id[f"lb-{HTTP.name}"].broken = True

    with pytest.raises(CloudError, match="status ERROR"):
        deploying.deploy(SECOND, live.site())

    assert not [call for call in live.calls if call.startswith("create")]


def test_servers_that_do_not_fit_beside_the_old_ones_come_in_batches(live):
    """25 nodes are a load balancer's limit: old ones leave as new ones come, and never do fewer serve."""
    many = replace(SECOND, count=24)
    deploying.deploy(many, live.site())

    assert live.names() == live.serving() == names(many, 24)


def test_draining_ends_at_its_limit(live):
    """A connection that never ends is cut at the limit, and the operator is told."""
    live.drain_seconds = 1000.0
    site = live.site(drain=20.0)
    deploying.deploy(SECOND, site)

    assert live.serving() == names(SECOND)
    assert any("connections were still open" in getattr(event, "text", "") for event in live.said)


def test_step_by_step_ends_in_the_same_state(live):
    """servers.create, setup, migrate, test, check and rotate are a deploy in six commands."""
    site = live.site()
    deploying.create(SECOND, site)
    for stage in (SetUp, Migrate, TestApp, Check):
        servers = fleet.newest(site.observe())
        deploying.run_stage(stage, servers[:1] if stage is Migrate else servers, SECOND, site)
    ready = fleet.newest_ready(site.observe(), release=None, count=None)
    deploying.rotate(SECOND, site)

    assert {server.name for server in ready} == live.names() == live.serving() == names(SECOND)


def test_a_stage_run_out_of_turn_does_not_make_a_server_ready(live):
    """A check that passes before the tests ran counts for nothing."""
    site = live.site()
    deploying.create(SECOND, site)
    deploying.run_stage(Check, fleet.newest(site.observe()), SECOND, site)

    assert {server.phase for server in fleet.newest(site.observe())} == {Phase.BOOTING}


def test_a_rotation_that_fails_keeps_the_new_servers(live):
    """`rotate` can be tried again: the old nodes are back, the new servers wait."""
    site = live.site()
    deploying.create(SECOND, site)
    for stage in (SetUp, Migrate, TestApp, Check):
        deploying.run_stage(stage, fleet.newest(site.observe()), SECOND, site)
    live.fault = refused(f"add lb-{HTTPS.name}")
    with pytest.raises(Reverted):
        deploying.rotate(SECOND, site)

    assert live.serving() == names(FIRST)
    assert live.names() == names(FIRST) | names(SECOND)


def test_a_server_that_serves_is_not_retired(live):
    """The guard asks the load balancers before every delete."""
    site = live.site()

    with pytest.raises(GuardRefused, match="still has a node"):
        deploying.retire(site.observe().servers, FIRST, site)

    assert live.serving() == names(FIRST)


def test_failures_and_the_undoing_are_told(live):
    """The report hears which step failed, and that it is being undone."""
    live.fault = refused("test 1")
    with pytest.raises(CloudError):
        deploying.deploy(SECOND, live.site())

    assert TestApp in {type(event.step) for event in live.said if isinstance(event, Failed)}
    assert [event.reason for event in live.said if isinstance(event, Reverting)] == ["test 1 was refused"]


def test_live_is_every_place_that_gets_requests(live):
    """Two servers on two load balancers are four places."""
    assert len(in_rotation(live.site().observe()).places) == 4
