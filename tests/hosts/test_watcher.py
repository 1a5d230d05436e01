"""The operator's own command: what it is told, what is told of it, and that nothing of it outlives its time."""

import os
import pty
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import pytest

from tasks.errors import Interrupted
from tasks.hosts.watcher import CommandWatcher

ROOT = Path(__file__).parents[2]
LONG = 60.0


def probe(command, about=None, deadline=LONG):
    """Run a command once."""
    return CommandWatcher(command, deadline).probe(about or {})


class Telephone:
    """A pipe by which a command tells the id of a process that it has started."""

    def __init__(self, pipe):
        self.pipe = pipe
        self._told = queue.Queue()
        os.mkfifo(pipe)

    def listen(self, then=lambda: None):
        """Wait in the background for a process id, and then do something."""
        threading.Thread(target=lambda: (self._told.put(int(self.pipe.read_text())), then()), daemon=True).start()

    @cached_property
    def pid(self):
        """The process id, as soon as it has been told."""
        return self._told.get(timeout=30)


@pytest.fixture
def telephone(tmp_path):
    """Give a telephone; the process that it has told of is killed in the end, whatever became of it."""
    telephone = Telephone(tmp_path / "pipe")
    yield telephone
    with suppress(ProcessLookupError):
        os.kill(telephone.pid, signal.SIGKILL)


def ends(pid):
    """Wait until a process has ended; say whether it has."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 10)[0])
    finally:
        os.close(process)


def test_no_command():
    """Where there is no command, nothing is wrong."""
    assert probe("") == ""


def test_a_command_that_is_content():
    """Exit code 0 means that all is well, whatever was printed."""
    assert probe("echo 500 errors; exit 0") == ""


def test_a_command_that_is_not():
    """Another code is told with the command and the last lines of both its outputs, in their order."""
    said = probe("for n in 1 2 3 4 5; do echo line $n; done; echo 'rate: 7 %' >&2; exit 3")

    assert said == (
        "`for n in 1 2 3 4 5; do echo line $n; done; echo 'rate: 7 %' >&2; exit 3` exited 3; its last output:\n"
        "    line 2\n    line 3\n    line 4\n    line 5\n    rate: 7 %"
    )


def test_a_command_that_says_nothing():
    """A command that fails without a word is told as such."""
    assert probe("exit 1") == "`exit 1` exited 1, without any output"


def test_a_program_that_does_not_exist():
    """The shell's own complaint is told."""
    said = probe("/no/such/program")

    assert said.startswith("`/no/such/program` exited 127; its last output:\n")
    assert "not found" in said


def test_death_by_a_signal():
    """A command that is killed by somebody else has failed, with the code that a shell gives."""
    assert probe("kill -TERM $$") == "`kill -TERM $$` exited 143, without any output"


def test_it_is_a_shell_command():
    """Pipes, variables and several lines are the operator's to use."""
    assert probe("echo a b | tr ' ' '\\n' |\n grep -c . | grep -qx 2 && test -n \"$PATH\"") == ""


def test_the_command_is_told_by_its_environment():
    """Values arrive as they are: the shell makes nothing of what stands in them."""
    values = {"DEPLOY_RELEASE": "$(touch /tmp/x) `id`; exit 9 'a\" \n*", "DEPLOY_VIRTUAL_IPS": "192.0.2.1 192.0.2.2"}
    said = probe('printf "%s|%s\\n" "$DEPLOY_RELEASE" "$DEPLOY_VIRTUAL_IPS"; exit 1', values)

    assert said.endswith("    $(touch /tmp/x) `id`; exit 9 'a\" \n    *|192.0.2.1 192.0.2.2")


def test_the_environment_is_that_of_the_moment():
    """What is known only later, such as virtual IPs, is told to later runs."""
    it = CommandWatcher('test "$DEPLOY_GENERATION" = g7', LONG)

    assert it.probe({})
    assert it.probe({"DEPLOY_GENERATION": "g7"}) == ""


def test_a_value_that_no_environment_can_hold():
    """It is told, not raised: the command was not run, and so nothing is known to be well."""
    said = probe("true", {"DEPLOY_RELEASE": "a\0b"})

    assert said.startswith("`true` could not be run: ")


def test_what_is_told_is_bounded_and_printable():
    """Neither a long line nor an escape sequence reaches the terminal; a long command is cut as well."""
    command = "yes '' | head -c 300000 | tr '\\n' x; printf '\\033[2J\\033]52;c;aGk=\\007end\\n'; exit 1 #" + "c" * 5000
    said = probe(command)

    assert len(said) < 1500
    assert said.isascii() or "…" in said
    assert "\x1b" not in said


def test_secrets_are_hidden():
    """What must not be shown is shown neither of the command nor of its output."""
    it = CommandWatcher("echo token=hunter22; exit 1", LONG, hide=lambda text: text.replace("hunter22", "[hidden]"))

    assert it.probe({}) == "`echo token=[hidden]; exit 1` exited 1; its last output:\n    token=[hidden]"


ASK = "! read line && ! (exec < /dev/tty)"
ON_A_TERMINAL = f"""
import os
from tasks.hosts.watcher import CommandWatcher
print(os.path.exists("/dev/tty") and os.isatty(os.open("/dev/tty", os.O_RDWR)), flush=True)
print(repr(CommandWatcher({ASK!r}, 30).probe({{}})))
"""


def test_nothing_can_be_asked_of_the_operator():
    """However a deploy is started, its command finds nothing to read, and no terminal to ask for a password on."""
    terminal, ours = pty.openpty()
    os.write(terminal, b"yes\n")
    command = ["setsid", "--ctty", "--wait", sys.executable, "-c", ON_A_TERMINAL]
    told = subprocess.run(command, cwd=ROOT, stdin=ours, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    os.close(ours)
    os.close(terminal)

    assert told.stdout == "True\n''\n"


def test_a_command_that_hangs(telephone):
    """At the deadline it is killed with all that it has started, and that is told with what it printed before."""
    telephone.listen()
    said = probe(f"echo asking; sleep 1000 & echo $! > {telephone.pipe}; wait", deadline=3.0)

    assert said.endswith("did not end within 3 s; its last output:\n    asking")
    assert ends(telephone.pid)


def test_what_a_command_leaves_behind(telephone):
    """A command has ended when its shell has: what it left in the background is killed, and not waited for."""
    telephone.listen()
    said = probe(f"echo begun; sleep 1000 & echo $! > {telephone.pipe}; exit 4")

    assert said.endswith("exited 4; its last output:\n    begun")
    assert ends(telephone.pid)


def test_what_has_left_the_session_holds_nothing_up(telephone, tmp_path):
    """A daemon that a command starts may keep its output open for ever; the command's end counts all the same."""
    telephone.listen()
    left = tmp_path / "left"
    os.mkfifo(left)
    daemon = f"setsid sh -c 'echo $$ > {left}; exec sleep 1000'"
    said = probe(f"echo begun; {daemon} & read pid < {left}; echo $pid > {telephone.pipe}; exit 4")

    assert said.endswith("exited 4; its last output:\n    begun")
    os.kill(telephone.pid, 0)


def test_stop_ends_a_command_at_once(telephone):
    """A command that would run for long ends as Interrupted when everything is told to stop, and so do later ones."""
    it = CommandWatcher(f"sleep 1000 & echo $! > {telephone.pipe}; wait", LONG)
    telephone.listen(then=it.stop)

    with pytest.raises(Interrupted, match="sleep 1000"):
        it.probe({})
    with pytest.raises(Interrupted):
        it.probe({})

    assert ends(telephone.pid)


def test_after_a_stop_runs_can_be_allowed_again():
    """What was begun has to be undone, and that is watched as well."""
    it = CommandWatcher("exit 0", LONG)
    it.stop()
    it.close()

    assert it.probe({}) == ""


def test_no_file_of_ours_is_open_in_it():
    """Sockets and files of a deploy are not handed on to the command."""
    with socket.socket() as ours:
        ours.set_inheritable(True)

        assert probe(f"! test -e /proc/self/fd/{ours.fileno()}") == ""
