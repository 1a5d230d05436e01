"""The script that apps on Node get: `on_request/70-node.sh`, run after the release has been unpacked."""

import json
import shutil
import subprocess

import pytest

from tests.bootstrap_scripts.servers import FolderServer, archive

pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="no npm here")
# A dependency that is in no registry, so that nothing has to be downloaded.
NEEDS = {"name": "shop", "dependencies": {"sentence": "file:./sentence"}}
ABOUT = json.dumps({"app": "shop", "wheels": False, "requirements": None})
SENTENCE = {
    "app/sentence/package.json": json.dumps({"name": "sentence", "version": "1.0.0"}),
    "app/sentence/index.js": "module.exports = 'a sentence';",
}


def set_up(server: FolderServer, package: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """Set a server up for a release with this package.json, and run the script."""
    files = {"app/package.json": json.dumps(package), **SENTENCE, "release.json": ABOUT}
    server.push(archive(files), settings={}, procfile="")
    assert server.set_up().returncode == 0
    return again(server)


def again(server: FolderServer) -> subprocess.CompletedProcess[str]:
    """Run the script, where it stands in a copy for the app: in the numbered row."""
    scripts = server.app / "bootstrap_scripts"
    shutil.copy(scripts / "on_request" / "70-node.sh", scripts / "70-node.sh")
    return server.execute(str(scripts / "70-node.sh"))


def test_what_package_json_names_is_installed(server: FolderServer) -> None:
    """The app finds it; no virtual environment is made."""
    done = set_up(server, NEEDS)

    assert done.returncode == 0, done.stderr
    assert server.run("node -e 'console.log(require(\"sentence\"))'").stdout == "a sentence\n"
    assert not (server.app / "venv").exists()


def test_it_is_installed_once_per_release(server: FolderServer) -> None:
    """A second run leaves what is there alone; a new release gets its own."""
    set_up(server, NEEDS)
    mark = server.app / "release" / "app" / "node_modules" / "mark"
    mark.touch()
    again(server)
    assert mark.exists()

    set_up(server, {**NEEDS, "version": "2.0.0"})
    assert not mark.exists()
    assert (server.app / "release" / "app" / "node_modules" / "sentence").exists()


def test_without_dependencies_npm_is_not_run(server: FolderServer) -> None:
    """Nothing is added to an app that needs Node alone."""
    assert set_up(server, {"name": "shop"}).returncode == 0
    assert not (server.app / "release" / "app" / "node_modules").exists()


def test_what_cannot_be_had_stops_the_set_up(server: FolderServer) -> None:
    """Half of it is not taken for done: the next run tries again."""
    broken = {"name": "shop", "dependencies": {"nowhere": "file:./nowhere.tgz"}}

    assert set_up(server, broken).returncode != 0
    assert again(server).returncode != 0
