"""The settings file: what may stand in it, and what is said when it is wrong."""

import tomllib

import pytest

from tasks.errors import SettingsError
from tasks.settings_file import load


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Give a function that makes a text the settings file."""

    def write(text):
        path = tmp_path / "deploy.toml"
        path.write_text(text)
        monkeypatch.setenv("DEPLOY_FILE", str(path))
        return path

    return write


def test_no_file_is_the_sample_app_on_the_local_cloud(tmp_path, monkeypatch):
    """Somebody who has just cloned the project needs no settings."""
    monkeypatch.delenv("DEPLOY_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    settings = load()

    assert (settings.app, settings.cloud, settings.count) == ("guestbook", "local", 2)
    assert [listener.port for listener in settings.listeners] == [8080, 8443]
    assert (settings.source.path / "manage.py").is_file()


def test_one_key_keeps_the_defaults_of_all_others(write):
    """`count = 3` alone is a sample deploy of three servers on the local cloud."""
    write("count = 3")
    settings = load()

    assert (settings.count, settings.cloud, settings.server.ssh_port) == (3, "local", 2222)


def test_one_key_of_a_section_keeps_the_others(write):
    """A section may be given in part."""
    write("[limits]\ndrain = 5")
    settings = load()

    assert (settings.limits.drain, settings.limits.build) == (5, 60)


def test_all_mistakes_are_reported_together(write):
    """Nobody has to run a deploy once per typing error; each line has the key's path and a suggestion."""
    path = write('cuont = 3\ncount = 0\n[server]\nflavour = "x"\n[[listeners]]\nname = "web"\nprot = 80')

    with pytest.raises(SettingsError) as caught:
        load()

    assert str(caught.value).splitlines() == [
        f"the settings in {path} can not be used:",
        "  count: input should be greater than or equal to 1",
        "  server.flavour: there is no such key; did you mean flavor?",
        "  listeners.0.port: has to be set",
        "  listeners.0.prot: there is no such key; did you mean port?",
        "  cuont: there is no such key; did you mean count?",
    ]
    assert caught.value.exit_code == 2


def test_a_cloud_needs_an_image_and_a_flavor(write):
    """What no default can know for another cloud than the local one has to be set."""
    write('cloud = "acme"')

    with pytest.raises(SettingsError, match=r"server: has to be set"):
        load()


def test_a_cloud_listens_on_80_and_443(write):
    """The defaults of the ports, of sshd's port and of the time limits are those of a real cloud."""
    write('cloud = "acme"\n[server]\nimage = "Debian 12"\nflavor = "small"')
    settings = load()

    assert [(one.port, one.protocol) for one in settings.listeners] == [(80, "HTTP"), (443, "HTTPS")]
    assert (settings.server.ssh_port, settings.limits.build) == (22, 1200)


def test_listeners_differ_in_name_and_port(write):
    """Two listeners on one port could not share a virtual IP."""
    write('[[listeners]]\nname = "a"\nport = 80\n[[listeners]]\nname = "b"\nport = 80')

    with pytest.raises(SettingsError, match="two of them have the port 80"):
        load()


def test_broken_toml_is_said_with_its_line(write):
    """The line of the mistake is named."""
    write("count = = 3")

    with pytest.raises(SettingsError, match=r"not valid TOML.*line 1"):
        load()


def test_a_missing_deploy_file_is_said(monkeypatch):
    """DEPLOY_FILE that names nothing is a mistake, not the defaults."""
    monkeypatch.setenv("DEPLOY_FILE", "/nowhere/deploy.toml")

    with pytest.raises(SettingsError, match=r"/nowhere/deploy\.toml"):
        load()


def test_the_command_line_overrides_the_file(write):
    """An option that is not given leaves the file's value."""
    write('count = 3\nenvironment = "staging"')
    settings = load(count=4, environment=None)

    assert (settings.count, settings.environment) == (4, "staging")


def test_paths_are_relative_to_the_file(write):
    """The file says where the app is, wherever `fab` is called from."""
    path = write('[source]\npath = "app"')

    assert load().source.path == path.parent / "app"


def test_secrets_come_from_the_environment_and_do_not_show(write, monkeypatch):
    """A secret's value stands in no file and in no repr."""
    monkeypatch.setenv("DATABASE_URL", "postgres://u:hunter2@db/x")
    write('secrets = ["DATABASE_URL"]')
    values = load().secret_values()

    assert values["DATABASE_URL"].get_secret_value().endswith("@db/x")
    assert "hunter2" not in repr(values) + repr(load())


def test_a_secret_that_is_not_set_is_a_mistake(write):
    """Better now than on the server."""
    write('secrets = ["SURELY_NOT_SET"]')

    with pytest.raises(SettingsError, match="SURELY_NOT_SET"):
        load().secret_values()


@pytest.mark.parametrize("batches", ['[1, "25%", "100%"]', "[]", "[1, 2, 50]", '["10%", 1, "50%"]'])
def test_batches_are_numbers_and_shares_that_grow(write, batches):
    """Which of a number and a share is greater depends on the count; the greater comes later whichever it is."""
    write(f"batches = {batches}")

    assert load().batches == tuple(tomllib.loads(f"b = {batches}")["b"])


@pytest.mark.parametrize("batches", ["[2, 1]", "[1, 1]", '["50%", "25%"]', '["50%", 3, "50%"]'])
def test_batches_do_not_shrink(write, batches):
    """A batch that takes servers out again is a mistake in the file."""
    write(f"batches = {batches}")

    with pytest.raises(SettingsError, match="batches: each has to be greater than the one before"):
        load()


@pytest.mark.parametrize("batch", ["0", "-1", "true", "1.5", '"25"', '"0%"', '"101%"', '"\u0661%"'])
def test_a_batch_that_is_none_is_told_with_examples(write, batch):
    """No regular expression is shown to anybody."""
    write(f"batches = [{batch}]")

    with pytest.raises(SettingsError, match=r'batches: .* is neither a number of servers, such as 2, nor .* "25%"'):
        load()


@pytest.mark.parametrize("standby", ["0", '"0"', '"90s"', '"30m"', '"12h"', '"2d"', '"until next deploy"'])
def test_standby_is_a_time_or_the_next_deploy(write, standby):
    """0 may be written as the number that it is."""
    write(f"standby = {standby}")

    assert load().standby == standby.strip('"')


@pytest.mark.parametrize("standby", ["30", '"30"', '"30 m"', '"0m"', '"for ever"', '"9999999d"', '"1m\\n"'])
def test_a_standby_that_is_none_is_told_with_examples(write, standby):
    """A number without its unit would be a guess."""
    write(f"standby = {standby}")

    with pytest.raises(SettingsError, match=r'standby: .* is neither a time, such as .* nor "until next deploy"'):
        load()


def test_hooks_are_command_lines(write):
    """Those that are left out are none; a name that is none is told."""
    write("[hooks]\nbefore_rotate = './smoke'")
    assert (load().hooks.before_rotate, load().hooks.on_failure) == ("./smoke", "")

    write("[hooks]\nbefore_rotation = './smoke'")
    with pytest.raises(
        SettingsError, match=r"hooks\.before_rotation: there is no such key; did you mean before_rotate"
    ):
        load()


def test_a_webhook_is_no_text(write):
    """Whatever prints the settings does not print it."""
    write("notify = 'https://hooks.example/hunter2'")

    assert load().webhook() == ("https://hooks.example/hunter2", "")
    assert "hunter2" not in repr(load())


@pytest.mark.parametrize("url", ["hooks.example/hunter2", "ftp://hunter2", "https://hunter2 x", "https://hunter2\\n"])
def test_a_webhook_that_is_none_is_told_without_it(write, url):
    """It may be the right one with a slip in it."""
    write(f'notify = "{url}"')

    with pytest.raises(SettingsError, match="notify: has to be a URL that begins with https://") as told:
        load()
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("https://hooks.example/hunter2", ("https://hooks.example/hunter2", "")),
        ("", ("", "notify_env: HOOK is not set in your environment")),
        ("hunter2", ("", "notify_env: what HOOK holds is no URL that begins with https:// or http://")),
    ],
)
def test_a_webhook_may_come_from_a_variable(write, monkeypatch, value, said):
    """What is wrong with it is no reason to refuse the settings."""
    write("notify_env = 'HOOK'")
    monkeypatch.setenv("HOOK", value)

    assert load().webhook() == said
