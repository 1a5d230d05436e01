"""Deploys on a cloud where everything can go wrong, in as many ways as there are seeds."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.kernel import Stuck
from tests.simulation.laws import Violation
from tests.simulation.scenarios import Scenario

ROOT = Path(__file__).parent.parent.parent
TOGETHER = 100
LAST_LINES = 80


def pytest_generate_tests(metafunc):
    """Give each test its share of the seeds."""
    if "seeds" in metafunc.fixturenames:
        option = metafunc.config.getoption
        one = option("--replay")
        first, last = (one, one + 1) if one is not None else (option("--seed-from"), 0)
        last = last or first + option("--seeds")
        shares = [range(begin, min(begin + TOGETHER, last)) for begin in range(first, last, TOGETHER)]
        metafunc.parametrize("seeds", shares, ids=[f"{share[0]}-{share[-1]}" for share in shares])


def test_every_law_holds_whatever_goes_wrong(seeds, request):
    """Nothing live is lost, nobody is cut off, one rotates; and a deploy in peace afterwards mends everything."""
    for seed in seeds:
        failure, trace = played(seed)
        if request.config.getoption("--replay") is not None:
            print("\n".join(trace.brief()))  # noqa: T201  that is what was asked for
        if failure:
            again = f"Replay it: pytest tests/simulation/test_seeds.py --replay {seed} -s"
            pytest.fail("\n".join([*list(trace.brief())[-LAST_LINES:], "", failure, again]), pytrace=False)


def test_a_seed_decides_everything():
    """The same seed gives the same trace, to the last digit."""
    assert [digest(seed) for seed in range(25)] == [digest(seed) for seed in range(25)]


def test_hashes_decide_nothing():
    """Nor do the random hashes of texts, by which Python orders sets, make a difference."""
    told = {run_with_hashes(number) for number in ("1", "2")}

    assert told == {"".join(digest(seed) for seed in range(25))}


def played(seed):
    """Give what was wrong in the end, or nothing, and the trace."""
    scenario = Scenario(seed)
    failure = ""
    try:
        scenario.play()
    except (Exception, Violation, Stuck) as violation:  # noqa: BLE001  whatever it is, it belongs to this seed
        failure = f"VIOLATED by seed {seed}: {type(violation).__name__}: {violation}"
    return failure, scenario.world.trace


def digest(seed):
    """Give what tells a trace from another one."""
    failure, trace = played(seed)
    return hashlib.sha256("\n".join([*trace.lines(), failure]).encode()).hexdigest()[:16]


def run_with_hashes(number):
    """Give the digests as another process finds them."""
    program = "from tests.simulation.test_seeds import digest; print(''.join(map(digest, range(25))), end='')"
    environment = {**os.environ, "PYTHONHASHSEED": number}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout
