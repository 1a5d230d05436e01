"""How long builds take."""

from pathlib import Path

import pytest

from tasks.localcloud.faults.build_times import BuildSeconds, BuildTimes
from tasks.localcloud.options import Options
from tests.localcloud.daemons import LocalCloud, eventually, local_cloud


def times(seconds: str, seed: int | None) -> list[float]:
    """Give the first twenty build times."""
    builds = BuildTimes(BuildSeconds.parse(seconds), seed)
    return [builds.next() for _ in range(20)]


def test_times_are_in_their_range():
    """Every build takes between the least and the most, and they differ."""
    taken = times("3:8", 1)

    assert all(3 <= seconds <= 8 for seconds in taken)
    assert len(set(taken)) == 20


def test_a_seed_repeats_the_times():
    """The same seed gives the same times in the same order, another one others."""
    assert times("3:8", 7) == times("3:8", 7) != times("3:8", 8)


def test_a_single_number_is_every_builds_time():
    """`5` is a range of one value."""
    assert set(times("5", None)) == {5.0}


def test_a_range_reads_back():
    """What a range is written as is read as the same."""
    assert BuildSeconds.parse(str(BuildSeconds(least=0.5, most=2))) == BuildSeconds(least=0.5, most=2)


@pytest.mark.parametrize("text", ["", "soon", "8:3", "-1:2", "1:", "1:2:3", "1:inf", "nan", "1:5000"])
def test_what_is_no_range_is_refused(text: str):
    """Ranges go up, from 0 to an hour."""
    with pytest.raises(ValueError, match=r"."):
        BuildSeconds.parse(text)


def test_the_choice_reaches_the_daemon():
    """Range and seed travel from `up` to the daemon unchanged."""
    options = Options(build_seconds=BuildSeconds(least=3, most=8), seed=7)

    assert Options.from_json(options.to_json()) == options


def test_a_cloud_builds_as_slowly_as_it_was_told(tmp_path: Path):
    """A server of a cloud whose builds take an hour is in BUILD and can be deleted."""
    with local_cloud(tmp_path / "state") as cloud:
        cloud.up("--isolation", "processes", "--build-seconds", "3600", "--seed", "7")
        nova = cloud.nova()
        [image] = cloud.session().get("/images", endpoint_filter={"service_type": "image"}).json()["images"]
        server = nova.servers.create("web", image["id"], "general1-1")

        assert nova.servers.get(server.id).status == "BUILD"
        nova.servers.delete(server.id)
        assert eventually(lambda: nova.servers.list() == [])


@pytest.mark.parametrize("wrong", ["8:3", "soon"])
def test_a_wrong_range_is_a_usage_error(tmp_path: Path, wrong: str):
    """Exit code 2 and a sentence with an example; nothing is started."""
    done = LocalCloud(state_dir=tmp_path / "state").run("up", "--build-seconds", wrong)

    assert done.returncode == 2
    assert f"not a range of seconds such as 3:8, nor a number of them: {wrong}" in done.stderr
