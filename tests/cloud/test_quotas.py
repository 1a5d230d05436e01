"""What a cloud lets be injected into a server, said before the first server exists."""

import pytest

from tasks.cloud import quotas

THREE = {"/etc/rc.local": b"x" * 30, "/etc/rc.local.stage1": b"x" * 5_000, "/etc/cron.d/initialrunner": b"x" * 400}


def limits(**absolute):
    """Read absolute limits."""
    return quotas.read(absolute)


def test_files_that_fit_are_no_problem():
    """Three small files fit into the limits that Nova has by default."""
    assert limits(maxPersonality=5, maxPersonalitySize=10_240).on_files(THREE).ok


@pytest.mark.parametrize("absolute", [{}, {"maxPersonality": 0, "maxPersonalitySize": 10_240}])
def test_trap_20_a_cloud_without_personality(absolute):
    """A cloud whose limits name no injected files, as from 2.57 on, or allow none: the reason is said."""
    problem = limits(**absolute).on_files(THREE).problem

    assert problem == (
        'bootstrap = "cron" needs 3 files injected into each server, and this cloud takes none; '
        'set another `bootstrap` than "cron"'
    )


def test_too_many_files():
    """A cloud that takes fewer files says how many."""
    problem = limits(maxPersonality=2, maxPersonalitySize=10_240).on_files(THREE).problem

    assert "3 files" in problem
    assert "at most 2" in problem


def test_a_file_that_is_too_large():
    """Each file that is larger than the cloud takes is named with its size; Rackspace may take 1,000 bytes only."""
    problem = limits(maxPersonality=5, maxPersonalitySize=1_000).on_files(THREE).problem

    assert problem.startswith("/etc/rc.local.stage1 has 5000 bytes; this cloud injects files of at most 1000")


def test_minus_one_is_no_limit():
    """A limit of -1 means that there is none."""
    assert limits(maxPersonality=-1, maxPersonalitySize=-1).on_files(THREE).ok
