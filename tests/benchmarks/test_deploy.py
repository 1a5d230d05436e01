"""How long a deploy of the sample app takes that replaces one that serves."""

import time
from pathlib import Path

import pytest

from tests.benchmarks import memory
from tests.benchmarks.figures import RUNS, Figure, report
from tests.stories.operators import Operator


@pytest.mark.timeout(600)
def test_second_deploy(newcomer: Operator, capsys: pytest.CaptureFixture[str]):
    """A deploy that replaces two servers takes some time; servers that run the sample app take some memory."""
    newcomer.manages("local.up")
    state_dir = Path(newcomer.local_status()["state_dir"])
    empty = memory.of_servers(state_dir)
    newcomer.manages("deploy")
    times, sizes = [], []
    for _ in range(RUNS):
        began = time.monotonic()
        newcomer.manages("deploy")
        times.append(time.monotonic() - began)
        sizes.append((memory.of_servers(state_dir) - empty) / 2)
    with capsys.disabled():
        report(
            "deploy",
            [
                Figure(what="the next `fab deploy`, 2 servers", unit="s", values=times, goal=15),
                Figure(what="memory of a server that runs the sample app", unit="MB", values=sizes),
            ],
        )
