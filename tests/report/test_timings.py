"""What is expected, from what was."""

import pytest

from tasks.report.timings import WHOLE, expectations, expected_seconds
from tests.report.runs import Told, broken, deployed

SHOP = "shop-test"


def deploys(folder, *tolds, of=SHOP):
    """Write journals, the first one the oldest."""
    for number, told in enumerate(tolds):
        told.write(folder / of / f"2026020{number}-000000-1" / "journal.jsonl")
    return folder


def set_up_takes(seconds):
    """Give a deploy in which setting up takes that long."""
    return Told().begun().step("SetUp", "shop-test-1", 1.0, 1.0 + seconds).ended(2.0 + seconds)


def test_a_stage_is_expected_to_take_as_long_as_it_did(tmp_path):
    """On the server in the middle: half of them were slower."""
    folder = deploys(tmp_path, deployed())

    assert expected_seconds("set up", folder, of=SHOP) == pytest.approx(3.5)
    assert expected_seconds(WHOLE, folder, of=SHOP) == pytest.approx(14.1)


def test_it_is_the_median_of_the_last_deploys(tmp_path):
    """One that was slow says little, and what was long ago nothing."""
    folder = deploys(tmp_path, *(set_up_takes(seconds) for seconds in (900, 900, 900, 1, 2, 3, 4, 5, 6, 700)))

    assert expected_seconds("set up", folder, of=SHOP) == pytest.approx(4)


def test_deploys_that_failed_tell_nothing(tmp_path):
    """They may have ended early, or waited for what never came."""
    assert expectations(deploys(tmp_path, broken()), of=SHOP) == {}


def test_other_apps_tell_nothing(tmp_path):
    """Their servers have other things to do."""
    assert expected_seconds("set up", deploys(tmp_path, deployed(), of="blog-test"), of=SHOP) is None


def test_other_verbs_tell_nothing(tmp_path):
    """A rotation alone is over sooner than a deploy."""
    told = Told().begun(verb="rotate").step("Check", "shop-test-1", 0, 1).ended(1)

    assert expectations(deploys(tmp_path, told), of=SHOP) == {}


def test_without_any_deploy_nothing_is_expected(tmp_path):
    """There is no folder yet."""
    assert expectations(tmp_path / "none", of=SHOP) == {}
