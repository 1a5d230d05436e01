"""From an app that knows nothing of this project to one that is deployed: `fab init`, `fab deploy`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.stories.conftest import a_folder
from tests.stories.operators import CHECKOUT, Operator, ended

EXAMPLES = CHECKOUT / "examples"
NODE = """
const about = `answered by ${process.env.SERVER_NAME}, release ${process.env.RELEASE}\\n`;
const pages = {"/": about, "/healthz": "ok\\n"};
require("http").createServer((asked, answer) => {
  answer.statusCode = pages[asked.url] ? 200 : 404;
  answer.end(require("sentence").ended(pages[asked.url] ?? "There is no such page"));
}).listen(process.env.PORT, process.env.HOST);
"""
# What `django-admin startproject` writes, as far as it matters here.
DJANGO = {
    "manage.py": """
import os, sys
from django.core.management import execute_from_command_line
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
execute_from_command_line(sys.argv)
""",
    "mysite/settings.py": """
from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "django-insecure-story"
DEBUG = True
ALLOWED_HOSTS = []
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "mysite.urls"
TEMPLATES = []
WSGI_APPLICATION = "mysite.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
""",
    "mysite/urls.py": """
import os
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import path
urlpatterns = [path("", lambda _: HttpResponse(f"{User.objects.count()} users on {os.environ['SERVER_NAME']}"))]
""",
    "mysite/wsgi.py": """
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
application = get_wsgi_application()
""",
    # The sample app's, so that no other wheels are downloaded.
    "requirements.txt": (CHECKOUT / "tests" / "sample_app" / "requirements.txt").read_text(),
}
# A dependency that is in no registry, so that nothing has to be downloaded.
PACKAGE = {"scripts": {"start": "node server.js"}, "dependencies": {"sentence": "file:./sentence"}}
SENTENCE = {"name": "sentence", "version": "1.0.0", "main": "index.js"}
Owner = Callable[[str], Operator]
Begin = Callable[..., str]


@pytest.fixture(scope="session")
def installed() -> Iterator[Path]:
    """Give the folder of an installed copy: what `pip install` makes of this project, without the checkout."""
    with a_folder() as folder:
        for name in ("tasks", "bootstrap_scripts"):
            shutil.copytree(CHECKOUT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "fabfile.py"):
            shutil.copy(CHECKOUT / name, folder / "source" / name)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*pip, "--target", folder / "copy", folder / "source"], check=True)
        shutil.rmtree(folder / "source")
        yield folder / "copy"


@pytest.fixture
def owner(newcomer: Operator, installed: Path) -> Owner:
    """Give a function that makes the newcomer the owner of an app: a copy of an example, as it was before `init`.

    They have installed this project, and no checkout of it.
    """

    def of(example: str) -> Operator:
        folder = newcomer.folder / example
        unsettled = shutil.ignore_patterns("deploy.toml", "fabfile.py")
        if (EXAMPLES / example).is_dir():
            shutil.copytree(EXAMPLES / example, folder, ignore=unsettled)
        else:
            folder.mkdir()
        shell = ("env", "-u", "DEPLOY_FILE", f"PYTHONPATH={installed}")
        return replace(newcomer, checkout=folder, settings=folder / "deploy.toml", prefix=shell)

    return of


@pytest.fixture
def begin(installed: Path) -> Begin:
    """Give a function that runs `disposable-servers init`, which needs no fabfile, and gives what it says."""

    def begin(app: Operator, *arguments: str) -> str:
        ran = ended(replace(app, programs=installed / "bin").start("disposable-servers", "init", *arguments))
        assert ran.code == 0, ran.text
        return ran.stdout

    return begin


def pages(operator: Operator, path: str = "/") -> list[requests.Response]:
    """Ask for a page four times through each load balancer."""
    with requests.Session() as visitor:
        visitor.trust_env = False
        balancers = operator.cloud().balancers().values()
        urls = [f"http://{balancer.virtual_ip}:{balancer.port}{path}" for balancer in balancers for _ in "1234"]
        answers = [visitor.get(url, timeout=30) for url in urls]
    assert [answer.status_code for answer in answers] == [200] * 8
    return answers


def test_an_app_that_is_no_python(owner: Owner, begin: Begin):
    """A few lines of Perl with a start command: no virtual environment is made, and both servers answer."""
    app = owner("no-python")
    said = begin(app, "--start", "perl serve.pl")
    app.manages("deploy")

    assert "fab deploy" in said
    assert sorted(path.name for path in app.checkout.iterdir()) == ["deploy.toml", "fabfile.py", "public", "serve.pl"]
    servers = {answer.headers["X-Served-By"].split(",")[0] for answer in pages(app)}
    assert servers == set(app.cloud().servers())
    assert "No Python here" in pages(app)[0].text
    assert "font" in pages(app, "/site.css")[0].text


def test_a_wsgi_application(owner: Owner, begin: Begin):
    """It is found by reading, and gunicorn from its requirements serves it in a virtual environment."""
    app = owner("wsgi")
    begin(app)
    app.manages("deploy")

    servers = {answer.text.removeprefix("answered by ").split(",")[0] for answer in pages(app)}
    assert servers == set(app.cloud().servers())
    assert {answer.headers["Server"] for answer in pages(app)} == {"gunicorn"}


def test_an_app_with_a_procfile(owner: Owner, begin: Begin):
    """Its release phase is the migration, and its worker runs on every server beside its web process."""
    app = owner("procfile")
    begin(app)
    app.manages("deploy")

    counted, answered = pages(app)[0].text.splitlines()
    assert counted.endswith(" seconds counted")
    assert answered.removeprefix("answered by ").split(",")[0] in app.cloud().servers()


def test_a_fresh_django_site(owner: Owner, begin: Begin):
    """Its own settings answer localhost alone and keep data in the app's folder; on servers it runs with others."""
    app = owner("mysite-of-mine")
    (app.checkout / "mysite").mkdir()
    for name, text in DJANGO.items():
        (app.checkout / name).write_text(text)
    begin(app)
    app.manages("deploy")

    assert {answer.text.split(" on ")[0] for answer in pages(app)} == {"0 users"}
    assert {answer.text.split(" on ")[1] for answer in pages(app)} == set(app.cloud().servers())
    assert {answer.text for answer in pages(app, "/healthz")} == {"ok\n"}


@pytest.mark.skipif(not shutil.which("npm", path="/usr/bin"), reason="no npm in /usr/bin, which is what servers see")
def test_a_node_application(owner: Owner, begin: Begin):
    """It gets bootstrap scripts of its own, which install what package.json names."""
    app = owner("shop")
    (app.checkout / "sentence").mkdir()
    (app.checkout / "sentence" / "package.json").write_text(json.dumps(SENTENCE))
    (app.checkout / "sentence" / "index.js").write_text("exports.ended = text => text.trim() + '.\\n';")
    (app.checkout / "package.json").write_text(json.dumps(PACKAGE))
    (app.checkout / "server.js").write_text(NODE)
    begin(app)
    app.manages("deploy")

    assert (app.checkout / "bootstrap_scripts" / "70-node.sh").is_file()
    assert {answer.text[-2:] for answer in pages(app)} == {".\n"}


def test_from_a_checkout(newcomer: Operator):
    """`fab -r CHECKOUT init` does the same for whoever has cloned the project."""
    folder = newcomer.folder / "site"
    shutil.copytree(EXAMPLES / "wsgi", folder, ignore=shutil.ignore_patterns("deploy.toml", "fabfile.py"))
    someone = replace(newcomer, checkout=folder, prefix=("env", "-u", "DEPLOY_FILE"))
    someone.manages("-r", str(CHECKOUT), "init")

    assert "deploy would" not in someone.manages("plan").stderr
    assert (folder / "deploy.toml").is_file()


def test_without_settings_an_installed_copy_says_how_to_begin(owner: Owner):
    """There is no sample app beside it; what is to be typed instead is said."""
    app = owner("wsgi")
    (app.checkout / "fabfile.py").write_text("from tasks import ns\n")
    refused = app.fab("deploy")

    assert refused.code == 2
    assert "there is no deploy.toml" in refused.stderr
    assert "`disposable-servers init` writes one" in refused.stderr
