"""What an app is recognised as, by its files alone."""

import json

import pytest

from tasks.starting.looking import look, name_of, started_by
from tasks.starting.model import Kind

BIND = '--bind "$PRIVATE_IP:$NODE_PORT"'


@pytest.mark.parametrize(
    ("name", "text", "target"),
    [
        ("app.py", "from flask import Flask\napp = Flask(__name__)\n", "app:app"),
        ("site.py", "import flask\nshop: flask.Flask = flask.Flask(__name__)\n", "site:shop"),
        ("wsgi.py", "from shop import create_app\nhello = create_app()\n", "wsgi:hello"),
        ("shop/__init__.py", "def create_app(config=None):\n    return Flask()\n", '"shop:create_app()"'),
        ("main.py", "def application(environ, start_response):\n    return []\n", "main:application"),
    ],
)
def test_a_wsgi_application_is_found_by_reading(app, name, text, target):
    """Whatever it is called, and in whichever module it stands; none of them is run."""
    found = app({name: "raise SystemExit('this was run')\n" + text, "requirements.txt": "flask\ngunicorn==27.0.1\n"})

    assert (found.kind, found.processes) == (Kind.WSGI, {"web": f"gunicorn {target} {BIND}"})
    assert (found.requirements, found.files, found.migrate) == ("requirements.txt", {}, "")


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("app = fastapi.FastAPI()\n", "main:app"),
        ("async def app(scope, receive, send):\n    pass\n", "main:app"),
        ("def create_app():\n    return FastAPI()\n", "main:create_app --factory"),
    ],
)
def test_an_asgi_application_is_served_by_uvicorn(app, text, target):
    """Gunicorn alone does not speak ASGI."""
    found = app({"main.py": text})

    assert found.kind is Kind.ASGI
    assert found.processes == {"web": f'uvicorn {target} --host "$PRIVATE_IP" --port "$NODE_PORT"'}
    assert found.files["requirements-servers.txt"].endswith("uvicorn\n")


def test_usual_names_come_first(app):
    """An application in wsgi.py is meant, not one that another module happens to have."""
    files = {"admin.py": "app = Flask(__name__)\n", "wsgi.py": "application = Flask(__name__)\n"}

    assert app(files).seen == "wsgi:application"


@pytest.mark.parametrize(
    "text",
    ["app = make()\n", "def application(one):\n    pass\n", "def create_app(config):\n    pass\n", "def (", "\0"],
)
def test_what_is_no_application_is_not_taken_for_one(app, text):
    """Neither is a file that is no Python."""
    assert app({"app.py": text}) is None


@pytest.mark.parametrize(
    ("about", "command"),
    [
        ({"scripts": {"start": "node server.js"}}, "node server.js"),
        ({"scripts": {"start": "NODE_ENV=production node . | pino"}}, "npm start"),
        ({"main": "lib/main.js"}, "node lib/main.js"),
        ({}, "node server.js"),
    ],
)
def test_a_node_application_is_started_as_its_package_says(app, about, command):
    """Plain node where it is plain, npm where it is more; else its main file."""
    listening = "server.listen(process.env.PORT, process.env.HOST)"
    found = app({"package.json": json.dumps(about), "server.js": listening, "lib/main.js": listening})

    assert found.kind is Kind.NODE
    assert found.processes == {"web": f'export HOST="$PRIVATE_IP" PORT="$NODE_PORT"; {command}'}
    assert (found.requirements, found.migrate, found.scripts) == ("", "", ("70-node.sh",))
    assert found.advice == ()


def test_a_node_application_that_listens_everywhere_is_told(app):
    """On the local cloud two servers could not listen on the same port of every address."""
    [told] = app({"package.json": "{}", "server.js": "server.listen(process.env.PORT)"}).advice

    assert told.startswith("server.js: let it listen on process.env.HOST")


@pytest.mark.parametrize(
    "package", ["{", "[]", '{"name": "only-assets"}', '{"scripts": {"start": 3}}', '{"scripts": 1}']
)
def test_a_package_that_starts_nothing_is_no_application(app, package):
    """A site of another kind may have a package.json for its assets."""
    assert app({"package.json": package}) is None


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("gunicorn shop:app", f"gunicorn shop:app {BIND}"),
        ("gunicorn -b 0.0.0.0:$PORT shop:app", "gunicorn -b $PRIVATE_IP:$NODE_PORT shop:app"),
        ("gunicorn --bind :${PORT:-5000} shop:app", "gunicorn --bind $PRIVATE_IP:$NODE_PORT shop:app"),
        ("uvicorn shop:app", 'uvicorn shop:app --host "$PRIVATE_IP" --port "$NODE_PORT"'),
        ("puma -b tcp://[::]:$PORT", "puma -b tcp://$PRIVATE_IP:$NODE_PORT"),
        ("bin/serve", 'export HOST="$PRIVATE_IP" PORT="$NODE_PORT"; bin/serve'),
        ("bin/serve --port $PORTAL", 'export HOST="$PRIVATE_IP" PORT="$NODE_PORT"; bin/serve --port $PORTAL'),
    ],
)
def test_a_procfiles_web_process_listens_where_nodes_are(app, line, command):
    """What says "every address, at $PORT" elsewhere is the private IP, at the node port, here."""
    found = app({"Procfile": f"web: {line}\n"})

    assert (found.kind, found.processes) == (Kind.PROCFILE, {"web": command})


def test_a_procfile_names_all_processes(app):
    """The release phase is what runs once per deploy; others run on every server, under names that servers can have."""
    found = app({"Procfile": "# comment\nweb: bin/web\nMail_Worker: bin/mail\nrelease: bin/migrate\n\nnonsense\n"})

    assert set(found.processes) == {"web", "mail-worker"}
    assert (found.processes["mail-worker"], found.migrate, found.requirements) == ("bin/mail", "bin/migrate", "")


def test_whoever_has_a_procfile_has_said_how_the_app_is_run(app):
    """It goes before everything else that is seen; without a web process it says too little."""
    files = {"app.py": "app = Flask(__name__)", "requirements.txt": "flask", "Procfile": "web: flask run"}

    assert (app(files).kind, app(files).requirements) == (Kind.PROCFILE, "requirements.txt")
    assert app(files | {"Procfile": "worker: rq worker"}).kind is Kind.WSGI


def test_an_app_that_lacks_its_server_gets_it(app):
    """Its own requirements stay as they are; those for servers include them."""
    found = app({"app.py": "app = Flask(__name__)", "requirements.txt": "flask\ngunicorn-color\n# gunicorn\n"})

    assert found.requirements == "requirements-servers.txt"
    assert found.files["requirements-servers.txt"].splitlines()[1:] == ["-r requirements.txt", "gunicorn"]


def test_requirements_may_include_each_other(app):
    """What an included file names is named, and a circle of files has an end."""
    files = {
        "app.py": "app = Flask(__name__)",
        "requirements.txt": "-r base.txt\n",
        "base.txt": "-r requirements.txt\nGunicorn>=20\npytest\n",
    }

    assert (app(files).requirements, app(files).test) == ("requirements.txt", "python -m pytest -q")


def test_dependencies_of_a_project_are_requirements(app):
    """What pip installs is what pyproject.toml names; a broken one names nothing."""
    files = {"app.py": "app = Flask(__name__)", "pyproject.toml": '[project]\ndependencies = ["flask>=3", "gunicorn"]'}

    assert app(files).files["requirements-servers.txt"].splitlines()[1:] == ["flask>=3", "gunicorn"]
    assert app(files | {"pyproject.toml": "= 3"}).files["requirements-servers.txt"].splitlines()[1:] == ["gunicorn"]


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("server.js", 'router.get("/healthz", ok)', "/healthz"),
        ("shop/urls.py", 'path("health/", views.health),', "/health/"),
        ("shop/urls.py", 're_path(r"^ping", views.ping), url("/up")', "/up"),
        ("node_modules/x/index.js", '"/healthz"', "/"),
        ("notes.txt", '"/healthz"', "/"),
        ("shop.py", 'status = "up"', "/"),
    ],
)
def test_a_path_that_says_that_it_works_is_found(app, name, text, path):
    """Only those that are usual, in the app's own sources; the front page is asked otherwise."""
    assert app({name: text, "Procfile": "web: bin/web"}).check_path == path


def test_nothing_is_made_up(tmp_path):
    """A folder in which nothing says how to start is no app."""
    (tmp_path / "README.md").write_text("Run me.")

    assert look(tmp_path) is None


def test_a_start_command_is_enough(tmp_path):
    """Whatever the app is written in."""
    found = started_by("bin/serve", tmp_path)

    assert (found.kind, found.processes) == (Kind.COMMAND, {"web": "bin/serve"})
    assert (found.requirements, found.migrate, found.test) == ("", "", "")


def test_a_start_command_replaces_what_was_seen(app, tmp_path):
    """The rest of what is seen stays: here the migrations, and the worker."""
    app({"Procfile": "web: bin/web\nworker: bin/work\nrelease: bin/migrate"})
    found = started_by("bin/other", tmp_path)

    assert (found.processes, found.migrate) == ({"web": "bin/other", "worker": "bin/work"}, "bin/migrate")


@pytest.mark.parametrize(
    ("folder", "name"),
    [("Shop", "shop"), ("my_shop.v2", "my-shop-v2"), ("2048", "app"), ("3d-shop", "d-shop"), ("x" * 40, "x" * 19)],
)
def test_an_app_is_called_like_its_folder(tmp_path, folder, name):
    """As far as a host name can have it."""
    assert name_of(tmp_path / folder) == name
