"""The HTTP check, against real servers on loopback."""

import os
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tasks.errors import CheckFailed, CommandFailed
from tasks.hosts.app import AppCommands, Check
from tests.hosts.conftest import a_server


class Site(BaseHTTPRequestHandler):
    """Answers as its server was told."""

    def do_GET(self):
        """Answer."""
        status, headers, body = self.server.answer
        self.server.paths.append(self.path)
        self.server.host = self.headers["Host"]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def site(room):
    """Run a site on the server's address, and check it."""
    room.install("bin/start", "echo started\n")
    site = ThreadingHTTPServer((room.sshd.address, 0), Site)
    site.answer, site.paths = (200, {}, b"ok"), []
    thread = threading.Thread(target=site.serve_forever, args=(0.02,))
    thread.start()
    room.app = AppCommands(node_port=site.server_port, check=Check(path="/healthz", deadline=30.0))
    yield site
    site.shutdown()
    thread.join()
    site.server_close()


def test_an_app_that_answers(room, site):
    """The app is started, and an answer with the expected status passes the check."""
    room.hosts().check(a_server())

    assert room.lines("start") == ["started"]
    assert site.paths == ["/healthz"]


def test_an_app_is_asked_by_its_own_name(room, site):
    """With `check.host` the Host header is the app's own name, and not the address that is asked."""
    room.hosts().check(a_server())
    assert site.host == f"{room.sshd.address}:{site.server_port}"

    room.app = replace(room.app, check=Check(path="/healthz", host="shop.example.com"))
    room.hosts().check(a_server())
    assert site.host == "shop.example.com"


def test_an_app_that_takes_a_while(room, site):
    """An app that answers 503 at first is asked again until it is ready."""
    site.answer = (503, {}, b"migrating")
    room.clock.then = lambda: setattr(site, "answer", (200, {}, b"ok"))

    room.hosts().check(a_server())

    assert len(site.paths) == 2


def test_an_app_that_does_not_listen_yet(room):
    """A refused connection means "not up yet" until the deadline."""
    room.install("bin/start", "true\n")
    room.app = AppCommands(node_port=1, check=Check(deadline=5.0))

    with pytest.raises(CheckFailed, match=r"it did not answer \(connection refused\)"):
        room.hosts().check(a_server())

    assert room.clock.time == pytest.approx(5)


def test_an_app_that_stays_broken(room, site):
    """A wrong answer until the deadline is an error with status, first lines of the body and the end of the log."""
    site.answer = (500, {}, b"<h1>\x1b[2JServer Error</h1>\n\n" + b"x" * 100_000)
    room.on_server("log").mkdir()
    room.on_server("log/web.log").write_text("".join(f"line {n}\n" for n in range(50)) + "KeyError: 'DATABASE'\n")

    with pytest.raises(CheckFailed) as failed:
        room.hosts().check(a_server())

    text = str(failed.value)
    assert "the app on web-1 was not up within 30 s" in text
    assert "is to answer 200, but it answered 500" in text
    assert "    <h1>Server Error</h1>" in text
    assert "    KeyError: 'DATABASE'" in text
    assert "line 1\n" not in text
    assert len(text) < 2000


def test_only_plain_files_are_read_as_logs(room, site, tmp_path):
    """Whatever the app puts beside its logs, a symlink to what only root can read or a pipe, its text is not shown."""
    site.answer = (500, {}, b"")
    (tmp_path / "shadow").write_text("root:secret\n")
    log = room.on_server("log")
    log.mkdir()
    (log / "a.log").symlink_to(tmp_path / "shadow")
    os.mkfifo(log / "b.log")
    (log / "c d.log").write_text("the end\n")
    (log / "-n.log").write_text("an option\n")

    with pytest.raises(CheckFailed) as failed:
        room.hosts().check(a_server())

    assert "the end" in str(failed.value)
    assert "an option" in str(failed.value)
    assert "secret" not in str(failed.value)


def test_redirects_are_not_followed(room, site):
    """A redirect is an answer of its own: what it leads to could be another server."""
    site.answer = (302, {"Location": "/elsewhere"}, b"")

    with pytest.raises(CheckFailed, match="it answered 302"):
        room.hosts().check(a_server())

    assert set(site.paths) == {"/healthz"}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/ü p?x=1&y=%20", "/%C3%BC%20p?x=1&y=%20"),
        ("/a\r\nHost: evil", "/a%0D%0AHost:%20evil"),
        ("//evil/x", "/evil/x"),
    ],
)
def test_any_path(room, site, path, asked):
    """A check's path asks for that path on that server, whatever characters are in it."""
    room.app = AppCommands(node_port=site.server_port, check=Check(path=path))

    room.hosts().check(a_server())

    assert site.paths == [asked]


def test_another_expected_status(room, site):
    """The status that counts as up is a setting."""
    site.answer = (204, {}, b"")
    room.app = AppCommands(node_port=site.server_port, check=Check(path="up", status=204))

    room.hosts().check(a_server())

    assert site.paths == ["/up"]


def test_a_proxy_is_not_asked(room, site, monkeypatch):
    """The private IP is asked directly, whatever proxy the operator's environment names."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    room.hosts().check(a_server())

    assert site.paths == ["/healthz"]


def test_an_app_that_does_not_start(room):
    """A start that fails is told as such; the app is not asked."""
    room.install("bin/start", "echo 'no Procfile'; exit 2\n")

    with pytest.raises(CommandFailed, match="start failed on web-1: bin/start exited 2"):
        room.hosts().check(a_server())
