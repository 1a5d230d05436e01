"""The ways to set a server up: whichever is chosen, the same server comes of it, and it comes back after a reboot."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
import pytest

from tests.stories.conftest import an_operator
from tests.stories.insides import Inside, inside
from tests.stories.operators import Operator, eventually

# The cron way waits until a minute begins, and three servers are made one after the other.
pytestmark = pytest.mark.timeout(300)
SECRET = "correct horse battery staple"
SETTINGS = """
count = 1
bootstrap = "{way}"
secrets = ["TOKEN"]
[commands]
test = ""
"""
LOOKS = {
    "users": "cut -d: -f1,3,4,6,7 /etc/passwd",
    "files": r"cd /srv/app && find . -path ./run/bytecode -prune -o -printf '%y %m %u %p\n'",
    "contents": "cd /srv/app && find bin bootstrap_scripts release release.tar.gz Procfile -type f"
    " -exec sha256sum {} +",
    "environment": "stat -c '%a %U' /srv/app/env; cut -d= -f1 /srv/app/env",
    "rc.local": "stat -c '%a %U' /etc/rc.local; cat /etc/rc.local",
    "entries of cron": "ls /etc/cron.d | wc -l",
    "processes": "for it in /proc/[0-9]*; do case $it in /proc/1 | /proc/$$) ;;"
    " *) echo \"$(stat -c %U $it) $(tr '\\0' ' ' <$it/cmdline)\" ;; esac; done",
}


@dataclass(frozen=True, kw_only=True)
class Made:
    """A server as a deploy left it, and the processes that ran after a reboot."""

    looks: dict[str, str]
    after_reboot: str
    said: str
    telling: list[Path]


@pytest.fixture(scope="module")
def made(caches: Path) -> Iterator[dict[str, Made]]:
    """Deploy in each way, one after the other, and look at the server that came of it; by way."""
    with pytest.MonkeyPatch.context() as patch, an_operator(caches) as someone:
        patch.setenv("TOKEN", SECRET)
        yield {way: _make(someone.with_settings(SETTINGS.format(way=way))) for way in ("push", "cloud-init", "cron")}


def _make(operator: Operator) -> Made:
    said = operator.manages("deploy").text
    [server] = operator.status()["servers"]
    address = server["private_ip"]
    with inside(operator, address) as it:
        looks = {name: _look(it, name, address) for name in LOOKS}
        it.sh("touch /run/first-boot")
    found = subprocess.run(["grep", "-rlF", SECRET, operator.folder], capture_output=True, text=True, check=True)
    operator.cloud().nova.servers.reboot(server["id"])
    wanted = looks["processes"].count("\n")
    after = eventually(lambda: _after_reboot(operator, address, wanted), "the app to come back")
    return Made(looks=looks, after_reboot=after, said=said, telling=[Path(line) for line in found.stdout.splitlines()])


def _look(it: Inside, what: str, address: str) -> str:
    return "\n".join(sorted(it.sh(LOOKS[what]).replace(address, "ADDRESS").splitlines()))


def _after_reboot(operator: Operator, address: str, wanted: int) -> str | None:
    """Give the processes in a later boot; None while fewer run than are wanted."""
    try:
        with inside(operator, address) as it:
            if it.sh("ls /run/first-boot"):
                return None
            processes = _look(it, "processes", address)
    except (paramiko.SSHException, OSError):
        return None
    return processes if processes.count("\n") >= wanted else None


@pytest.mark.parametrize("what", LOOKS)
@pytest.mark.parametrize("way", ["cloud-init", "cron"])
def test_the_same_server_comes_of_it(made: dict[str, Made], way: str, what: str):
    """A server that sets itself up has the users, files, rc.local and processes of one that is pushed to."""
    assert made[way].looks[what] == made["push"].looks[what] != ""


@pytest.mark.parametrize("way", ["push", "cloud-init", "cron"])
def test_app_and_worker_come_back(made: dict[str, Made], way: str):
    """After any of them rc.local starts app and worker at every boot."""
    assert made[way].after_reboot == made["push"].looks["processes"]


def test_only_cron_reboots(made: dict[str, Made]):
    """The cron way reboots the server once, and the operator is told."""
    assert {way: it.said.count("is rebooted") for way, it in made.items()} == {"push": 0, "cloud-init": 0, "cron": 1}


@pytest.mark.parametrize("way", ["push", "cloud-init", "cron"])
def test_secrets_are_in_the_env_file_alone(made: dict[str, Made], way: str):
    """A secret is nowhere in the operator's or the cloud's records: only in a file that the server's root can read."""
    assert {path.parts[-3:] for path in made[way].telling} == {("srv", "app", "env")}
    assert "600 root" in made[way].looks["environment"].splitlines()
