"""Watching new servers in rotation, and looking at old ones around the migrations."""

import pytest

from tasks.errors import Breached, CheckFailed, CloudError, HostUnreachable
from tasks.rollout.goal import Pace
from tasks.rollout.model import Condition, NodeStatus
from tasks.rollout.observation import Moment, Probed, Watched
from tasks.rollout.steps import ProbeOld, Watch
from tasks.rollout.watching import WatchActs
from tests.rollout.builders import balancer, goal, node, old, seen, server
from tests.rollout.taking_turns import Turns

NEW, GONE = server(1), old(1)
WELL = balancer(node(NEW), node(GONE, Condition.DRAINING))


class Site:
    """Servers, a load balancer and a command that answer what they are told to, look by look; the last for good."""

    def __init__(self, *, server=("",), through=("",), command=("",), shown=(WELL,)):
        self._answers = {"server": server, "through": through, "command": command, "shown": shown}
        self.looks = dict.fromkeys(self._answers, 0)
        self.told = {}

    def _next(self, what):
        answers = self._answers[what]
        answer = answers[min(self.looks[what], len(answers) - 1)]
        self.looks[what] += 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    def probe(self, about):
        """Ask a server, or run the command."""
        if isinstance(about, dict):
            self.told = about
            return self._next("command")
        return self._next("server")

    def probe_through(self, _balancer):
        """Ask through the virtual IP."""
        return self._next("through")

    def show(self, _balancer_id):
        """Show the load balancer."""
        return self._next("shown")


def acts(site, clock, watch=30.0):
    """Give what watches."""
    wanted = goal(count=1, pace=Pace(watch=watch))
    return WatchActs(goal=wanted, balancers=site, hosts=site, watcher=site, clock=clock)


def watched(site, watch=30.0):
    """Watch one new server, and give what was found and how many seconds it took."""
    clock = Turns()
    return acts(site, clock, watch).watch(Watch(count=1), seen(NEW, GONE, balancers=[WELL])), clock.now()


class TestWatching:
    def test_it_lasts_as_long_as_the_settings_say(self):
        """Everything is looked at again and again until then."""
        site = Site()

        fact, seconds = watched(site)

        assert fact == Watched(count=1)
        assert 30.0 <= seconds < 33.0
        assert min(site.looks.values()) >= 15

    def test_without_a_time_there_is_one_look(self):
        """A canary proves itself by being well once."""
        site = Site()

        assert watched(site, watch=0.0) == (Watched(count=1), 0.0)
        assert set(site.looks.values()) == {1}

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"server": ("500 instead of 200",)}, "shop-1: 500 instead of 200"),
            ({"server": (HostUnreachable("no route", server="x"),)}, "shop-1: no route"),
            ({"through": ("no answer",)}, "through load balancer shop-test-http: no answer"),
            ({"command": ("exited 1: too many errors",)}, "exited 1: too many errors"),
            ({"shown": (balancer(node(NEW, status=NodeStatus.OFFLINE)),)}, "finds shop-1 OFFLINE"),
            ({"shown": (balancer(node(NEW, Condition.DRAINING)),)}, "does not send requests to shop-1 any more"),
            ({"shown": (balancer(),)}, "does not send requests to shop-1 any more"),
        ],
    )
    def test_what_is_wrong_is_a_breach(self, wrong, words):
        """It says what, and of whom."""
        with pytest.raises(Breached, match=words):
            watched(Site(**wrong))

    def test_what_is_wrong_once_is_no_breach(self):
        """A packet may get lost: two looks in a row have to find something wrong."""
        fact, _ = watched(Site(server=("lost", "", "lost", "")))

        assert fact == Watched(count=1)

    def test_two_looks_in_a_row_that_find_different_things_are_a_breach(self):
        """Something is wrong all the time."""
        with pytest.raises(Breached, match="no answer"):
            watched(Site(server=("lost", ""), through=("no answer",)))

    def test_it_does_not_end_on_a_doubt(self):
        """When the time is over in the middle of something wrong, one more look decides."""
        with pytest.raises(Breached):
            watched(Site(server=("wrong",)), watch=0.0)

    def test_an_api_that_does_not_answer_says_nothing_about_the_servers(self):
        """They are asked themselves."""
        fact, _ = watched(Site(shown=(CloudError("503"),)))

        assert fact == Watched(count=1)

    def test_the_command_is_told_what_it_is_about(self):
        """App, environment, verb, generation, release, servers and virtual IPs, once each."""
        site = Site()
        watched(site)

        assert site.told == {
            "DEPLOY_APP": "shop",
            "DEPLOY_ENVIRONMENT": "test",
            "DEPLOY_GENERATION": NEW.generation,
            "DEPLOY_VERB": "deploy",
            "DEPLOY_RELEASE": "r2",
            "DEPLOY_SERVERS": "shop-1",
            "DEPLOY_PRIVATE_IPS": "10.0.2.1",
            "DEPLOY_VIRTUAL_IPS": "192.0.2.1",
        }


class TestOldServers:
    def probed(self, site, moment):
        """Probe the old server."""
        step = ProbeOld(server_id="old-1", moment=moment)
        return acts(site, Turns()).probe_old(step, seen(NEW, GONE, balancers=[WELL]))

    @pytest.mark.parametrize("problem", ["", "500 instead of 200"])
    def test_before_the_migrations_it_is_only_noted_how_they_are(self, problem):
        """Who is not well before is nobody's victim."""
        assert self.probed(Site(server=(problem,)), Moment.BEFORE) == Probed(
            server_id="old-1", moment=Moment.BEFORE, problem=problem
        )

    def test_after_the_migrations_they_have_to_be_well(self):
        """One that does not bear the new schema ends the deploy: it is said that the migrations are not undone."""
        with pytest.raises(CheckFailed, match="is not since they ran: 500") as failed:
            self.probed(Site(server=("500",)), Moment.AFTER)

        assert "not undone" in failed.value.advice

    def test_a_moment_of_weakness_is_forgiven(self):
        """A migration may lock a table for a while."""
        fact = self.probed(Site(server=("slow", "slow", "")), Moment.AFTER)

        assert fact == Probed(server_id="old-1", moment=Moment.AFTER, problem="")
