"""What `fab init` writes, and that it overwrites nothing unasked."""

import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.errors import SettingsError
from tasks.settings import PACKAGE_ROOT
from tasks.settings_file import parse
from tasks.starting.beginning import Wishes, begin
from tasks.starting.model import App, Kind
from tasks.starting.settings_text import Where, settings_text

EXAMPLES = PACKAGE_ROOT / "examples"
STARTED = {"no-python": "perl serve.pl", "wsgi": "", "procfile": ""}
# What is a setting as soon as its # is gone.
HINT = re.compile(r"^# (?=\[[\w.]+\]$|\w+ = )", re.MULTILINE)


@pytest.fixture
def folder(tmp_path):
    """Give the folder of a WSGI application that has its server."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "app.py").write_text("app = Flask(__name__)\n")
    (folder / "requirements.txt").write_text("flask\ngunicorn\n")
    return folder


def settings_of(folder):
    """Give the settings that a folder's deploy.toml stands for."""
    path = folder / "deploy.toml"
    return parse(path.read_text(), path)


def names_in(folder):
    """Give the names of all files of a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("example", STARTED)
def test_the_settings_of_the_examples_are_those_that_init_writes(tmp_path, example):
    """Nobody has made them nicer by hand. `WRITE_EXAMPLES=1 pytest tests/starting` writes them anew."""
    folder = tmp_path / example
    shutil.copytree(EXAMPLES / example, folder, ignore=shutil.ignore_patterns("deploy.toml", "fabfile.py"))
    begin(folder, Wishes(start=STARTED[example]))
    if os.environ.get("WRITE_EXAMPLES"):
        shutil.copytree(folder, EXAMPLES / example, dirs_exist_ok=True)

    for name in ("deploy.toml", "fabfile.py"):
        assert (folder / name).read_text() == (EXAMPLES / example / name).read_text()


@pytest.mark.parametrize("example", STARTED)
def test_settings_are_read_in_a_terminal(example):
    """No line is wider than 80 columns."""
    assert max(map(len, (EXAMPLES / example / "deploy.toml").read_text().splitlines())) <= 80


def test_what_is_written_are_the_settings_of_the_app(folder):
    """Relative paths are those of the app, and only what differs from the defaults is set."""
    begin(folder, Wishes())
    settings = settings_of(folder)

    assert (settings.app, settings.cloud, settings.count, settings.source.path) == ("shop", "local", 2, folder)
    assert settings.processes == {"web": 'gunicorn app:app --bind "$PRIVATE_IP:$NODE_PORT"'}
    assert (settings.commands.migrate, settings.commands.test, settings.check.path) == ("", "", "/")
    assert "\ncount" not in (folder / "deploy.toml").read_text()


def test_hints_are_settings_as_soon_as_their_mark_is_gone(folder):
    """Whoever takes away a # has no other mistake to make."""
    begin(folder, Wishes())
    path = folder / "deploy.toml"
    text = HINT.sub("", path.read_text())
    settings = parse(text, path)

    assert (settings.cloud, settings.secrets, settings.server.flavor) == ("acme", ("DATABASE_URL",), "general1-2")
    assert "[environments.staging]" in text.splitlines()


def test_a_fabfile_of_one_line_is_enough(folder):
    """Nothing else is added to an app that brings what it needs."""
    begin(folder, Wishes())

    assert names_in(folder) == {"app.py", "requirements.txt", "deploy.toml", "fabfile.py"}
    assert len((folder / "fabfile.py").read_text().splitlines()) == 1


def test_wishes_come_before_what_is_seen(folder):
    """What somebody says of their app is so."""
    wishes = Wishes(
        name="store", check_path="/up", start="bin/serve", cloud="acme", image="Debian 12", flavor="small", scripts=True
    )
    begin(folder, wishes)
    settings = settings_of(folder)

    assert (settings.app, settings.check.path, settings.processes) == ("store", "/up", {"web": "bin/serve"})
    assert (settings.cloud, settings.server.image, settings.server.flavor) == ("acme", "Debian 12", "small")
    assert settings.bootstrap_scripts == folder / "bootstrap_scripts"


@given(start=st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1))
@example(start="""bin/serve --say "it's" \\ 'ü😀'\x7f\t""")
def test_every_command_survives_as_it_is(start):
    """Quotes, backslashes and characters of any kind are the command's, not the file's."""
    app = App(kind=Kind.COMMAND, seen=f"`{start}`", processes={"web": start})
    text = settings_text(app, Where(name="shop"))

    assert parse(text, Path("/app/deploy.toml")).processes == {"web": start}


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (Wishes(name="Shop\ncount = 7"), "app: string should match pattern"),
        (Wishes(check_path="up"), "check.path: string should match pattern"),
        (Wishes(start="one\ntwo"), "processes.web: string should match pattern"),
        (Wishes(start="bin/\udcff"), "is no UTF-8"),
        (Wishes(cloud="acme", image="Debian 12"), "nothing says what servers are made of"),
    ],
)
def test_what_makes_no_settings_is_refused(folder, wishes, said):
    """Before anything is written."""
    with pytest.raises(SettingsError, match=re.escape(said)) as caught:
        begin(folder, wishes)

    assert caught.value.exit_code == 2
    assert names_in(folder) == {"app.py", "requirements.txt"}


def test_nothing_is_overwritten(folder):
    """One file in the way, and nothing is written at all; the files are named."""
    (folder / "fabfile.py").write_text("# mine\n")

    with pytest.raises(SettingsError, match=r"there is already: .*/fabfile\.py") as caught:
        begin(folder, Wishes())
    assert "`--force` overwrites" in caught.value.advice
    assert (folder / "fabfile.py").read_text() == "# mine\n"
    assert not (folder / "deploy.toml").exists()


def test_a_dangling_link_is_in_the_way(folder):
    """What is written would lie where the link points."""
    (folder / "deploy.toml").symlink_to("elsewhere.toml")

    with pytest.raises(SettingsError, match="there is already"):
        begin(folder, Wishes())


def test_force_overwrites(folder):
    """Whoever says so means it."""
    (folder / "deploy.toml").write_text("count = 7\n")
    begin(folder, Wishes(force=True))

    assert settings_of(folder).count == 2


def test_twice_is_once(folder):
    """A second run finds what it would write, and is content."""
    begin(folder, Wishes(scripts=True))
    before = names_in(folder)
    begin(folder, Wishes(scripts=True))

    assert names_in(folder) == before


def test_a_django_site_is_seen_as_before_the_second_time(folder):
    """What was written for it is not taken for its own."""
    (folder / "manage.py").write_text('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")')
    first, second = begin(folder, Wishes()), begin(folder, Wishes())

    assert "settings_servers.py" in names_in(folder)
    assert first.app == second.app


def test_a_fabfile_that_has_the_tasks_stays(folder):
    """People have tasks of their own beside ours."""
    text = "from tasks import deploy\nfrom tasks import ns\n"
    (folder / "fabfile.py").write_text(text)
    begin(folder, Wishes())

    assert (folder / "fabfile.py").read_text() == text


@pytest.mark.parametrize("taken", ["tasks.py", "tasks/__init__.py"])
def test_an_app_with_tasks_of_its_own_is_deployed_from_a_folder_beside_it(folder, taken):
    """There `from tasks import ns` would mean the app's."""
    (folder / taken).parent.mkdir(exist_ok=True)
    (folder / taken).write_text("")
    begun = begin(folder, Wishes())

    assert begun.home == folder / "deploy"
    assert {"deploy/deploy.toml", "deploy/fabfile.py"} < names_in(folder)
    assert settings_of(folder / "deploy").source.path.resolve() == folder


def test_requirements_for_servers_are_written_beside_the_apps_own(folder):
    """Where the app's requirements lack what serves it, others include them."""
    (folder / "requirements.txt").write_text("flask\n")
    begin(folder, Wishes())

    assert settings_of(folder).source.requirements == "requirements-servers.txt"
    assert (folder / "requirements-servers.txt").read_text().splitlines()[1:] == ["-r requirements.txt", "gunicorn"]


def test_scripts_are_a_copy_to_be_changed(folder):
    """All of them, executable as they were; those on request only where they are requested."""
    begin(folder, Wishes(scripts=True))
    copied, shipped = folder / "bootstrap_scripts", PACKAGE_ROOT / "bootstrap_scripts"
    wanted = {name for name in names_in(shipped) if not name.startswith("on_request/") and "__pycache__" not in name}

    assert names_in(copied) == wanted
    for name in wanted:
        assert (copied / name).read_bytes() == (shipped / name).read_bytes()
        assert os.access(copied / name, os.X_OK) == os.access(shipped / name, os.X_OK)


def test_a_node_application_gets_its_script_in_the_numbered_row(folder):
    """It runs after the release has been unpacked."""
    (folder / "app.py").unlink()
    (folder / "package.json").write_text('{"scripts": {"start": "node server.js"}}')
    begin(folder, Wishes())

    assert os.access(folder / "bootstrap_scripts" / "70-node.sh", os.X_OK)
    assert settings_of(folder).bootstrap_scripts == folder / "bootstrap_scripts"


def test_without_a_terminal_nobody_is_asked(tmp_path):
    """What is missing is said instead, with the option that says it."""
    with pytest.raises(SettingsError, match="says how the app is started") as caught:
        begin(tmp_path, Wishes())

    assert "fab init --start" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_said(tmp_path):
    """A typing error in --folder makes no folder."""
    with pytest.raises(SettingsError, match=r"/nowhere is not a folder"):
        begin(tmp_path / "nowhere", Wishes())
    assert list(tmp_path.iterdir()) == []


def test_the_checkout_is_not_taken_for_the_app():
    """Whoever tries it where they have cloned the project is told where to go."""
    with pytest.raises(SettingsError, match="is the folder of disposable-servers itself") as caught:
        begin(PACKAGE_ROOT, Wishes())
    assert f"fab -r {PACKAGE_ROOT} init" in caught.value.advice
