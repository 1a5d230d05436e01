"""The fork server: has the servers' code loaded once, and forks it for every boot.

It is a program of its own (`python -m tasks.localcloud.machines.forkserver`). Orders come as lines of JSON on standard
input, one event each goes out as a line of JSON on standard output. It ends, and every server with it, when its
standard input ends. Refuses to know the order in which servers are booted, or why.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from tasks.localcloud.machines import line, namespaces, processes, syscalls
from tasks.localcloud.machines.children import descendants
from tasks.localcloud.machines.image import make_image
from tasks.localcloud.machines.init import Init
from tasks.localcloud.machines.place import Place
from tasks.localcloud.machines.spec import Boot, Ending, Isolation

# Imported by libraries on first use, when a server no longer sees the folder they are in.
_NEEDED_LATER = ("concurrent.futures.thread", "encodings.idna", "encodings.unicode_escape", "asyncio.unix_events")
_LIVES = {Isolation.NAMESPACES: namespaces.live, Isolation.PROCESSES: processes.live}


class ForkServer:
    """The running servers, by id, and the pipes to the daemon."""

    def __init__(self, events: int) -> None:
        self._events = events
        self._machines: dict[int, str] = {}
        self._lifeline, self._held = os.pipe()
        self._wakeup, self._wake = os.pipe()

    def run(self) -> None:
        """Follow orders until there are no more to come, then end every server."""
        os.umask(0o022)
        syscalls.adopt_orphans()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wakeup, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for module in _NEEDED_LATER:
            importlib.import_module(module)
        gc.freeze()
        self._tell(event="ready")
        self._follow_orders()
        self._end_all()

    def _follow_orders(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        selector.register(self._wakeup, selectors.EVENT_READ)
        pending = b""
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if self._wakeup in ready:
                os.read(self._wakeup, 4096)
                self._reap()
            if 0 in ready:
                data = os.read(0, 1 << 20)
                if not data:
                    return
                *lines, pending = (pending + data).split(b"\n")
                for line in lines:
                    self._follow(json.loads(line))

    def _follow(self, order: dict[str, Any]) -> None:
        match order["order"]:
            case "boot":
                self._fork(Boot.from_json(order["boot"]), self._boot)
            case "probe":
                self._fork(Boot.from_json(order["boot"]), self._probe)
            case "signal":
                self._signal(order["id"], order["signal"])
            case "freeze":
                self._freeze(order["id"])
            case "thaw":
                self._thaw(order["id"])

    def _fork(self, boot: Boot, life: Callable[[Boot], int]) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(boot, life)
        self._machines[pid] = boot.spec.id

    def _become(self, boot: Boot, life: Callable[[Boot], int]) -> NoReturn:
        status: int = Ending.PANIC
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for end in (self._held, self._wake, self._wakeup):
                os.close(end)
            _attach_console(boot)
            status = life(boot)
        except BaseException as error:  # noqa: BLE001  whatever it is, the daemon has to hear of it
            sys.stderr.write(f"Kernel panic - not syncing: {error}\n")
            self._tell(event="failed", id=boot.spec.id, reason=str(error)[:2000])
        os._exit(status if status >= 0 else Ending.PULLED)

    def _boot(self, boot: Boot) -> int:
        connected = line.connect(boot)

        def init(place: Place) -> Ending:
            return Init(boot.spec, place, lifeline=self._lifeline, line=line.Line(connected), is_up=is_up).live()

        def is_up() -> None:
            self._tell(event="up", id=boot.spec.id)

        return _LIVES[boot.isolation](boot, init)

    def _probe(self, boot: Boot) -> int:
        """Make the image and run a server on it that has nothing to do but what only a server can."""

        def init(place: Place) -> Ending:
            del place
            namespaces.refresh_library_cache()
            return Ending.POWER_OFF

        make_image(boot.image)
        return namespaces.live(boot, init)

    def _signal(self, machine_id: str, name: str) -> None:
        for pid, known in self._machines.items():
            if known == machine_id:
                os.kill(pid, getattr(signal, name))

    def _freeze(self, machine_id: str) -> None:
        """Stop a server's processes; some are born meanwhile, so it looks until there are no others."""
        stopped: set[int] = set()
        while others := set(self._processes(machine_id)) - stopped:
            _send(others, signal.SIGSTOP)
            stopped |= others
        self._tell(event="frozen", id=machine_id)

    def _thaw(self, machine_id: str) -> None:
        # Parents last: a shell that wakes up before its job would take the job for stopped.
        _send(reversed(self._processes(machine_id)), signal.SIGCONT)

    def _processes(self, machine_id: str) -> list[int]:
        keepers = [pid for pid, known in self._machines.items() if known == machine_id]
        return keepers + [pid for keeper in keepers for pid in descendants(keeper)]

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            machine_id = self._machines.pop(pid, None)
            self._kill_strays()
            if machine_id:
                self._tell(event="exited", id=machine_id, status=os.waitstatus_to_exitcode(status))

    def _kill_strays(self) -> None:
        """End what an init that was killed left behind: here, orphans become children of the fork server."""
        alive = set(descendants(os.getpid()))
        for pid in self._machines:
            alive -= {pid, *descendants(pid)}
        _send(alive, signal.SIGKILL)

    def _end_all(self) -> None:
        # Whoever stands still for a snapshot has to go on to be able to end.
        for number in (signal.SIGTERM, signal.SIGCONT):
            _send(self._machines, number)
        while self._machines:
            pid, _ = os.wait()
            self._machines.pop(pid, None)
        self._kill_strays()

    def _tell(self, **event: Any) -> None:
        # Short enough to be written in one piece, so that servers may all write to the same pipe.
        os.write(self._events, json.dumps(event).encode() + b"\n")


def _send(processes: Iterable[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _attach_console(boot: Boot) -> None:
    boot.folder.mkdir(parents=True, exist_ok=True)
    console = os.open(boot.console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (console, 1), (console, 2)):
        os.dup2(source, number)
    os.close(console)
    os.close(nothing)


def main() -> None:
    """Serve the daemon that started this program."""
    events = os.dup(1)
    os.dup2(2, 1)
    # What a server's users may read does not depend on the umask of whoever runs the cloud, whose folder is private.
    os.umask(0o022)
    # A Ctrl-C in the daemon's terminal is the daemon's to handle.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ForkServer(events).run()


if __name__ == "__main__":
    main()
