"""Which release is deployed, and where to."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.stories.conftest import an_operator_on
from tests.stories.operators import CHECKOUT, ONE, Operator
from tests.stories.traffic import Traffic, sign

pytestmark = pytest.mark.timeout(300)  # three deploys, on a machine that may have other things to do
PAGE = "guestbook/templates/guestbook/page.html"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A git repository with an app."""

    path: Path

    def heading(self, text: str, *, tag: str) -> None:
        """Change the page's heading, commit that, and tag the commit."""
        page = self.path / PAGE
        page.write_text(page.read_text().replace("<h1>Guestbook</h1>", f"<h1>{text}</h1>"))
        self._git("add", ".")
        self._git("-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", text)
        self._git("tag", tag)

    @classmethod
    def of_the_sample_app(cls, path: Path) -> "Repository":
        """Put a copy of the sample app under version control."""
        shutil.copytree(CHECKOUT / "tests/sample_app", path, ignore=shutil.ignore_patterns("__pycache__"))
        repository = cls(path=path)
        repository._git("init", "--quiet")
        return repository

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.path), *arguments], check=True, timeout=60)


@pytest.fixture(scope="module")
def developer(face: str, caches: Path) -> Iterator[Operator]:
    """Give an operator with an app of their own: two commits, `first` and `second`, and a change in the work tree."""
    with an_operator_on(face, caches) as someone:
        repository = Repository.of_the_sample_app(someone.folder / "app")
        repository.heading("Guestbook", tag="first")
        repository.heading("Visitors", tag="second")
        page = repository.path / PAGE
        page.write_text(page.read_text().replace("<h1>Visitors</h1>", "<h1>Unfinished</h1>"))
        yield someone.with_settings(f'{ONE}source.path = "app"\n', name="app")


def test_revisions_and_artifacts(developer: Operator):
    """`--release` deploys a git revision, not the work tree; later the same artifact is deployed again by its id."""
    developer.manages("deploy", "--release", "first")
    cloud = developer.cloud()
    first = cloud.page()
    developer.manages("deploy")
    unfinished = cloud.page()
    developer.manages("deploy", "--release", first.release)
    again = cloud.page()

    assert "<h1>Guestbook</h1>" in first.text
    assert "<h1>Unfinished</h1>" in unfinished.text
    assert first.release != unfinished.release
    assert "<h1>Guestbook</h1>" in again.text
    assert again.release == first.release


def test_environments_side_by_side(site: Operator):
    """Two environments have servers, addresses and guestbooks of their own; a deploy to one leaves the other alone."""
    cloud = site.cloud()
    production, nodes = set(cloud.servers()), cloud.nodes()
    for _ in range(2):
        site.manages("deploy", "--environment", "staging")
    staging = site.status("--environment", "staging")
    [here, _], [there, _] = cloud.addresses(), cloud.addresses("staging")
    message = signed(there)

    assert staging["environment"] == "staging"
    assert set(cloud.servers()) - {one["name"] for one in staging["servers"]} == production
    assert {one["name"] for one in site.status()["servers"]} == production
    assert nodes.items() <= cloud.nodes().items()
    assert message in cloud.page(there).text
    assert message not in cloud.page(here).text


def signed(address: str) -> str:
    """Sign the guestbook at an address; gives the message."""
    traffic = Traffic()
    with requests.Session() as visitor:
        sign(visitor, address, traffic)
    return traffic.messages[0]


def test_count(site: Operator):
    """`--count` takes the place of the setting for one deploy."""
    assert "create server 3" in site.manages("plan", "--count", "3").stdout
    assert "create server 2" not in site.manages("plan").stdout
