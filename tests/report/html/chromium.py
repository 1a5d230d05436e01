"""A real browser without a window, driven over a pipe by its DevTools protocol: no port, no other program."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
DEADLINE = 60.0


class Chromium:
    """A browser that runs. Every wait for an answer of it has a deadline, in seconds."""

    def __init__(self, process: subprocess.Popen[bytes], commands: int, answers: int) -> None:
        self._process = process
        self._commands = commands
        self._answers = answers
        self._read = b""
        self._numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol, and give its result; what happens meanwhile is kept in `events`."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._until(method, lambda each: each.get("id") == number)["result"]

    def await_event(self, method: str, session: str) -> None:
        """Wait until something has happened; it may have happened already."""
        if not any(each["method"] == method and each.get("sessionId") == session for each in self.events):
            self._until(method, lambda each: each.get("method") == method and each.get("sessionId") == session)

    def _until(self, what: str, wanted: Any) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE
        while True:
            message = self._next(what, deadline)
            if "method" in message:
                self.events.append(message)
            if wanted(message):
                assert "error" not in message, f"{what}: {message['error']}"
                return message

    def _next(self, what: str, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"the browser did not answer {what} within {DEADLINE} s"
            piece = os.read(self._answers, 1 << 20)
            assert piece, f"the browser has ended, with {self._process.poll()}, before it answered {what}"
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        return dict(json.loads(message))


class Tab:
    """A page in a browser, of one size and in one scheme of colours."""

    def __init__(self, browser: Chromium, *, width: int, scheme: str) -> None:
        self._browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 700
        )
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, page: Path) -> None:
        """Open a file, and wait until all of it is there."""
        self._browser.events.clear()
        self._call("Page.navigate", url=page.as_uri())
        self._browser.await_event("Page.loadEventFired", self._session)

    def find(self, expression: str) -> Any:
        """Evaluate an expression on the page."""
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def screenshot(self, path: Path) -> None:
        """Take a picture of the whole page."""
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    @property
    def complaints(self) -> list[str]:
        """What the console has on this page: errors, refusals of its policy, exceptions."""
        mine = [each for each in self._browser.events if each.get("sessionId") == self._session]
        logged = [each["params"]["entry"]["text"] for each in mine if each["method"] == "Log.entryAdded"]
        return logged + [each["method"] for each in mine if each["method"].startswith("Runtime.") and _is_bad(each)]

    @property
    def fetched(self) -> list[str]:
        """What the page has asked for, itself included."""
        asked = [each for each in self._browser.events if each["method"] == "Network.requestWillBeSent"]
        return [each["params"]["request"]["url"] for each in asked if each.get("sessionId") == self._session]

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)


def _is_bad(event: dict[str, Any]) -> bool:
    return event["method"] in {"Runtime.exceptionThrown", "Runtime.consoleAPICalled"}


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[Chromium]:
    """Run a browser with a profile of its own in a folder; nothing of it runs afterwards."""
    assert PROGRAM
    to_browser, commands = os.pipe()
    answers, from_browser = os.pipe()
    # It speaks the protocol on the descriptors 3 and 4, whatever ours are called.
    script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
    command = [PROGRAM, *OPTIONS, f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank"]
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=stderr,
            stderr=stderr,
            start_new_session=True,
        )
    os.close(to_browser)
    os.close(from_browser)
    browser = Chromium(process, commands, answers)
    try:
        yield browser
        browser.call("Browser.close")
        process.wait(DEADLINE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(DEADLINE)
        os.close(commands)
        os.close(answers)
