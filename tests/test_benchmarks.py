"""The benchmarks are no part of the main run; that they can be run is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_benchmark_finds_what_it_needs():
    """Each is collected, and every fixture that it asks for exists; nothing is measured here."""
    command = [sys.executable, "-m", "pytest", "-q", "--setup-plan", "tests/benchmarks"]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert planned.returncode == 0, planned.stdout
    assert "test_second_deploy" in planned.stdout
