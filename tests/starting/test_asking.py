"""`fab init` at a real terminal, and what it prints: as somebody sees it at 80 columns."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.settings import PACKAGE_ROOT

FAB = (str(Path(sys.executable).parent / "fab"), "-r", str(PACKAGE_ROOT), "init")
COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
WSGI = """\
shop is a WSGI app: app:app.
Its web process will be:
    gunicorn app:app --bind "$PRIVATE_IP:$NODE_PORT"

Written:
    deploy.toml                   the settings
    fabfile.py                    where fab finds the tasks
    requirements-servers.txt      what the app needs on a server

Next:
    fab plan                      what a deploy would do
    fab deploy                    on a cloud that runs on this machine
"""
NODE = """\
shop is a Node app: package.json, started by `node server.js`.
Its web process will be:
    export HOST="$PRIVATE_IP" PORT="$NODE_PORT"; node server.js

Written:
    deploy.toml                   the settings
    fabfile.py                    where fab finds the tasks
    bootstrap_scripts/            how servers are set up: yours to change

Before you deploy:
    server.js: let it listen on process.env.HOST, not on every address: servers
    of the local cloud share this machine's ports.

Next:
    fab plan                      what a deploy would do
    fab deploy                    to the cloud acme
"""


@pytest.fixture
def folder(tmp_path):
    """Give the folder of an app that says nothing of itself."""
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def at_a_terminal(folder, typed, *arguments):
    """Run `fab init` at a terminal on which somebody types; give how it ended, and what they saw."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in {"CI", "DEPLOY_FILE"}}
    with subprocess.Popen(
        [*FAB, *arguments], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as program:
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        while part := _read(ours):
            shown += part
        os.close(ours)
    return program.returncode, COLOURS.sub("", shown.decode()).replace("\r", "")


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side has been closed
        return b""


def piped(folder, *arguments):
    """Run `fab init` without a terminal, and give what it prints."""
    return subprocess.run(
        [*FAB, *arguments], cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def test_what_cannot_be_seen_is_asked(folder):
    """The start command, a name and a path to check; Enter takes what is suggested."""
    code, shown = at_a_terminal(folder, "bin/serve\n\n/up\n")
    text = (folder / "deploy.toml").read_text()

    assert code == 0, shown
    assert "Command that starts the app:" in shown
    assert "Name of the app [shop]:" in shown
    assert "Path that answers 200 when the app works [/]:" in shown
    assert ('app = "shop"' in text, 'path = "/up"' in text, 'web = "bin/serve"' in text) == (True, True, True)


def test_what_was_said_is_not_asked(folder):
    """Options are answers."""
    code, shown = at_a_terminal(folder, "", "--start", "bin/serve", "--name", "store", "--check-path", "/up")

    assert code == 0, shown
    assert "]:" not in shown


def test_no_answer_writes_nothing(folder):
    """Who does not know how the app is started is told what was looked for."""
    code, shown = at_a_terminal(folder, "\n")

    assert (code, list(folder.iterdir())) == (2, [])
    assert "says how the app is started" in " ".join(shown.split())


def test_what_is_said_of_a_wsgi_application(folder):
    """What it is, what was written, what to type next."""
    (folder / "app.py").write_text("app = Flask(__name__)\n")
    ran = piped(folder)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, WSGI, "")


def test_what_is_said_of_a_node_application(folder):
    """What its owner has to see to stands before what to type next."""
    (folder / "package.json").write_text('{"scripts": {"start": "node server.js"}}')
    (folder / "server.js").write_text("server.listen(process.env.PORT)\n")
    ran = piped(folder, "--cloud", "acme", "--image", "Debian 12", "--flavor", "small")

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, NODE, "")


def test_a_folder_elsewhere(folder):
    """The paths are those that can be typed from here, and going there is the first thing to do."""
    ran = piped(folder.parent, "--folder", "shop", "--start", "bin/serve")

    assert "    shop/deploy.toml  " in ran.stdout
    assert "Next:\n    cd shop\n" in ran.stdout
