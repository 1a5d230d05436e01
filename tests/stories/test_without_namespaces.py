"""A machine that refuses namespaces, such as a locked-down container."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stories.operators import Operator

# In a user namespace of its own, whose limits are 0, the kernel refuses further ones as such a container would.
REFUSE = (
    "echo 0 >/proc/sys/user/max_user_namespaces && echo 0 >/proc/sys/user/max_mnt_namespaces && "
    '! unshare --mount true 2>/dev/null && exec "$@"'
)
REFUSED = ("unshare", "--user", "--map-root-user", "sh", "-c", REFUSE, "sh")
WATCHED = ("passwd", "group", "shadow", "hosts", "hostname", "rc.local", "cron.d", "profile", "ssh")


@pytest.fixture
def confined(newcomer: Operator) -> Iterator[Operator]:
    """Give an operator on a machine that refuses namespaces."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to set limits with")
    if subprocess.run([*REFUSED, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody set such limits")
    return replace(newcomer.with_settings("count = 1\n"), prefix=REFUSED)


def test_the_sample_app_is_deployed_all_the_same(confined: Operator):
    """One warning says that servers are plain processes; the deploy completes, and the machine's /etc is untouched."""
    before = etc()
    ran = confined.fab("deploy")

    assert ran.code == 0, ran.text
    assert ran.text.count("warning: ") == 1
    assert "Servers are plain processes" in ran.stderr
    assert "refuses namespaces" in ran.stderr
    assert confined.cloud().page().server in confined.cloud().servers()
    assert etc() == before


def etc() -> dict[Path, int]:
    """Give when the files were changed that a set-up could harm."""
    watched = [Path("/etc") / name for name in WATCHED]
    inside = [path for folder in watched if folder.is_dir() for path in folder.iterdir()]
    return {path: path.stat().st_mtime_ns for path in [*watched, *inside] if path.exists()}
