"""How the tests are run: all of them side by side, a selection one after another."""

import os

import hypothesis
import pytest

# On a busy machine an example that takes long has failed nothing.
hypothesis.settings.register_profile("whenever", deadline=None)
hypothesis.settings.load_profile("whenever")


def pytest_addoption(parser):
    """Let stories be run on every face (see stories/conftest.py), deploys be killed anywhere, more seeds be tried."""
    parser.addoption("--all-faces", action="store_true", help="run every story on both faces of the local cloud")
    parser.addoption("--every-crash", action="store_true", help="kill deploys at every request that they make")
    parser.addoption("--seeds", type=int, default=1500, metavar="N", help="simulate so many seeds")
    parser.addoption("--seed-from", type=int, default=0, metavar="N", help="begin with this seed")
    parser.addoption(
        "--replay", type=int, metavar="SEED", help="simulate this seed alone and print its trace (with -s)"
    )


def pytest_xdist_auto_num_workers(config):
    """Give the number of processes: for the whole suite more than cores, since most tests wait for something.

    A selection (a folder, a file, the benchmarks) runs in this process: it starts at once, and nothing disturbs it.
    """
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS
    return 2 * (os.cpu_count() or 1) + 1 if whole else 0
