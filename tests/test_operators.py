"""Who runs a deploy, and whether it still does: asked of real processes, PID namespaces and mounts of /proc."""

import os
import pwd
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tasks import operators

ROOT = Path(__file__).parent.parent
PRINT_PROCESS = "from tasks import operators; print(operators.process(), flush=True)"
AND_STAY = f"{PRINT_PROCESS}; import sys; sys.stdin.read()"
ASK = "import sys; from tasks import operators; print(bool(operators.process()), operators.has_ended(sys.argv[1]))"
NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]
OWN_PROC = [*NAMESPACE, "--mount-proc"]
# What one user does is not shown to others there, as administrators of machines with many users like to have it.
HIDING_PROC = ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh"]
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def said(*command):
    """Run a program in the checkout and give what it prints."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def python(code, *arguments, within=()):
    """Run Python code of ours in another process, perhaps in another place; give what it prints."""
    return said(*within, sys.executable, "-c", code, *arguments)


def possible(*within):
    """Say whether a place can be made here; some machines refuse namespaces, and only root can be somebody else."""
    try:
        return python("print('in')", within=within) == "in"
    except (OSError, subprocess.CalledProcessError):
        return False


@pytest.fixture
def another():
    """Run another process of ours; give it with its name."""
    process = subprocess.Popen(
        [sys.executable, "-c", AND_STAY], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process, process.stdout.readline().strip()


def test_the_owner_is_a_user_and_a_machine(monkeypatch):
    """A claim names whom to ask, and at which machine."""
    monkeypatch.setenv("LOGNAME", "ada")

    assert operators.owner() == f"ada@{socket.gethostname()}"


def test_an_owner_without_a_name(monkeypatch):
    """A user id that no passwd entry names, as in many containers, is an owner as well."""
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(variable, raising=False)
    nameless = next(number for number in range(54321, 60000) if number not in {it.pw_uid for it in pwd.getpwall()})
    monkeypatch.setattr(os, "getuid", lambda: nameless)

    assert operators.owner() == f"uid{nameless}@{socket.gethostname()}"


def test_a_process_has_one_name():
    """It is the same whenever it is asked for, and fits into a claim with much room left."""
    assert operators.process() == operators.process() != ""
    assert len(operators.process()) <= 64


def test_a_process_that_is_there(another):
    """One that runs has not ended; nor have we."""
    _, name = another

    assert not operators.has_ended(name)
    assert not operators.has_ended(operators.process())


def test_a_process_that_has_ended(another):
    """One that has ended is known to have."""
    process, name = another
    process.communicate()

    assert operators.has_ended(name)


def test_a_process_that_has_ended_and_was_not_waited_for(another):
    """A zombie does nothing any more, whatever its parent has forgotten."""
    process, name = another
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert operators.has_ended(name)


def test_a_process_that_was_killed(another):
    """One that was killed is known to have ended as well: it is what leaves a claim behind."""
    process, name = another
    process.kill()
    process.wait()

    assert operators.has_ended(name)


def test_an_id_that_is_used_again(another):
    """Another process that has got its id since then is told apart by when it started."""
    _, name = another
    before, _, started = name.rpartition(":")

    assert operators.has_ended(f"{before}:{int(started) - 1}")


def test_another_boot(another, tmp_path, monkeypatch):
    """What a process of another boot, or of another machine, does, nobody can tell from here."""
    process, name = another
    process.communicate()
    boot = tmp_path / "boot_id"
    boot.write_text("00000000-1111-2222-3333-444444444444\n")
    monkeypatch.setattr(operators, "BOOT_ID", boot)

    assert not operators.has_ended(name)
    assert operators.process().startswith("00000000-1111:")


def test_another_pid_namespace(another):
    """Two containers of one machine count processes separately: neither takes the other's for ended."""
    if not possible(*OWN_PROC):
        pytest.skip("this machine refuses PID namespaces")
    process, outside = another
    inside = python(PRINT_PROCESS, within=OWN_PROC)
    process.communicate()

    assert inside.split(":")[0] == outside.split(":")[0]
    assert not operators.has_ended(inside)
    assert python(ASK, outside, within=OWN_PROC) == "True False"


def test_a_pid_namespace_without_a_proc_of_its_own():
    """Where /proc shows the processes of somebody else's namespace, a process has no name: ids would be mixed up."""
    if not possible(*NAMESPACE):
        pytest.skip("this machine refuses PID namespaces")

    assert python(PRINT_PROCESS, within=NAMESPACE) == ""


def test_a_process_that_is_hidden_from_us(another):
    """Where /proc hides the processes of other users, one of theirs is not taken for ended while it runs."""
    if not possible(*HIDING_PROC, *NOBODY):
        pytest.skip("this takes root, and another user who may read this checkout")
    process, name = another
    asked = [*HIDING_PROC, *NOBODY]
    assert python(ASK, name, within=asked) == "True False"

    process.communicate()

    assert python(ASK, name, within=asked) == "True True"


def test_no_proc(another, tmp_path, monkeypatch):
    """Where the system tells nothing of boots, a process has no name, and none is taken for ended."""
    process, name = another
    process.communicate()
    monkeypatch.setattr(operators, "BOOT_ID", tmp_path / "none")

    assert operators.process() == ""
    assert not operators.has_ended(name)
    assert not operators.has_ended("")
    assert not operators.has_ended(":1:2")


@pytest.mark.parametrize("end", ["", ":", ":1", ":x:1", ":²:1", ":-1:1", ":99999999999999999:1", ":1:", ":1:x", "::"])
def test_a_name_that_is_none(end):
    """Metadata may say anything: what is no name of a process is of none that has ended."""
    place = ":".join(operators.process().split(":")[:2])

    assert not operators.has_ended(place + end)
