"""The sample app on a server, from its release to its health check."""

import json
import re
import urllib.error
import urllib.request

import pytest

from tasks.waiting import Patience, WallClock, until
from tests.bootstrap_scripts.servers import DEADLINE, FolderServer, free_port

ADDRESS = "127.61.7.5"
PROCFILE = """\
web: gunicorn guestbook.wsgi --bind "$PRIVATE_IP:$NODE_PORT"
worker: python manage.py run_worker
"""


@pytest.fixture
def settings() -> dict[str, str]:
    """Give what a deploy tells the app."""
    port = str(free_port(ADDRESS))
    names = {"APP_NAME": "guestbook", "ENVIRONMENT": "test", "RELEASE": "r1", "GENERATION": "1", "SERVER_NAME": "web-1"}
    return names | {"PRIVATE_IP": ADDRESS, "NODE_PORT": port}


def get(settings: dict[str, str], path: str) -> str | None:
    """Return the page, or None while nobody answers or the server is unfit."""
    try:
        with urllib.request.urlopen(f"http://{ADDRESS}:{settings['NODE_PORT']}{path}", timeout=DEADLINE) as response:
            return response.read().decode()
    except urllib.error.URLError:
        return None


def test_whole_life(server: FolderServer, sample_release: bytes, settings: dict[str, str]) -> None:
    """The sample app's release sets up, migrates, passes its own tests, serves, works, and stops when told to."""
    patience = Patience(limit=DEADLINE, longest=0.2)
    server.push(sample_release, settings=settings, procfile=PROCFILE)

    for stage in (server.set_up, server.set_up):
        done = stage()
        assert done.returncode == 0, done.stderr
    migrated = server.run("python manage.py migrate --noinput")
    assert migrated.returncode == 0, migrated.stderr
    tested = server.run("python manage.py test --noinput")
    assert tested.returncode == 0, tested.stderr
    assert int(re.search(r"Ran (\d+) tests", tested.stderr)[1]) >= 10
    server.start()
    server.start()

    health = until(lambda: get(settings, "/healthz"), what="/healthz", patience=patience, clock=WallClock())
    assert {"status": "ok", "release": "r1", "server": "web-1"}.items() <= json.loads(health).items()

    def worker_seen() -> bool | None:
        return "Worker on web-1" in (get(settings, "/") or "") or None

    until(worker_seen, what="the worker's heartbeat on the page", patience=patience, clock=WallClock())
    assert (server.root / "srv" / "shared" / "guestbook-test" / "guestbook.sqlite3").exists()

    for name in ("web", "worker"):
        server.stop(name)
    assert "Worker stopped." in server.log("worker")
    assert get(settings, "/healthz") is None


def test_before_migrations(server: FolderServer, sample_release: bytes, settings: dict[str, str]) -> None:
    """A server whose migrations were not applied says so with 503: no load balancer may send visitors there."""
    server.push(sample_release, settings=settings, procfile=PROCFILE)
    server.set_up()
    server.start()
    url = f"http://{ADDRESS}:{settings['NODE_PORT']}/healthz"

    def refusal() -> urllib.error.HTTPError | None:
        try:
            urllib.request.urlopen(url, timeout=DEADLINE).close()
        except urllib.error.HTTPError as error:
            return error
        except urllib.error.URLError:
            return None
        return None

    seen = until(refusal, what="a 503", patience=Patience(limit=DEADLINE, longest=0.2), clock=WallClock())
    assert seen.code == 503
    assert "guestbook.0001_entries" in json.loads(seen.read())["pending_migrations"]
