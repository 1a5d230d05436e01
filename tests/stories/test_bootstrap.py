"""The ways to set a server up: whichever is chosen, the same server comes of it, and it comes back after a reboot."""

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import paramiko
import pytest

from tests.stories.conftest import an_operator_on
from tests.stories.insides import Inside, inside
from tests.stories.operators import Operator, eventually

# The cron way waits until a minute begins, and three servers are made one after the other.
pytestmark = pytest.mark.timeout(300)
OWN_WAYS = [pytest.param("cloud-init", marks=pytest.mark.both_faces), "cron"]
WAYS = [pytest.param("push", marks=pytest.mark.both_faces), *OWN_WAYS]
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
def made(face: str, caches: Path) -> Iterator[Callable[[str], Made]]:
    """Let stories deploy in a way, and look at the server that came of it; each way is gone only once."""
    with pytest.MonkeyPatch.context() as patch, an_operator_on(face, caches) as someone:
        patch.setenv("TOKEN", SECRET)
        yield cache(lambda way: _make(someone.with_settings(SETTINGS.format(way=way))))


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
@pytest.mark.parametrize("way", OWN_WAYS)
def test_the_same_server_comes_of_it(made: Callable[[str], Made], way: str, what: str):
    """A server that sets itself up has the users, files, rc.local and processes of one that is pushed to."""
    assert made(way).looks[what] == made("push").looks[what] != ""


@pytest.mark.parametrize("way", WAYS)
def test_app_and_worker_come_back(made: Callable[[str], Made], way: str):
    """After any of them rc.local starts app and worker at every boot."""
    assert made(way).after_reboot == made("push").looks["processes"]


@pytest.mark.parametrize("way", WAYS)
def test_only_cron_reboots(made: Callable[[str], Made], way: str):
    """The cron way reboots the server once, and the operator is told."""
    assert made(way).said.count("is rebooted") == (way == "cron")


@pytest.mark.parametrize("way", WAYS)
def test_secrets_are_in_the_env_file_alone(made: Callable[[str], Made], way: str):
    """A secret is nowhere in the operator's or the cloud's records: only in a file that the server's root can read."""
    assert {path.parts[-3:] for path in made(way).telling} == {("srv", "app", "env")}
    assert "600 root" in made(way).looks["environment"].splitlines()
