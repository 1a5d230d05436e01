"""`[environments.NAME]` in the settings file: laid over the rest, validated with it, chosen by `--environment`."""

import pytest

from tasks.errors import SettingsError
from tasks.settings_file import load

FILE = """
count = 4
secrets = ["DATABASE_URL"]
[env]
LOG_LEVEL = "info"
COLOUR = "blue"
[limits]
drain = 9

[environments.staging]
count = 1
secrets = []
[environments.staging.env]
LOG_LEVEL = "debug"
[environments.staging.check]
path = "/up"

[environments.preview]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Give a function that makes a text the settings file."""

    def write(text):
        path = tmp_path / "deploy.toml"
        path.write_text(text)
        monkeypatch.setenv("DEPLOY_FILE", str(path))
        return path

    return write


def mistakes(**options):
    """Give the lines that are said about the settings, without the first."""
    with pytest.raises(SettingsError) as caught:
        load(**options)
    assert caught.value.exit_code == 2
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


def test_an_environment_is_laid_over_the_rest(write):
    """What its table sets is another there, key by key and list by list; the rest is as for every environment."""
    write(FILE)
    staging = load(environment="staging")

    assert (staging.environment, staging.count, staging.secrets, staging.check.path) == ("staging", 1, (), "/up")
    assert (staging.env, staging.limits.drain) == ({"LOG_LEVEL": "debug", "COLOUR": "blue"}, 9)


def test_without_one_the_file_is_that_of_production(write):
    """The main environment needs no table: it is what stands outside of them."""
    write(FILE)

    assert (load().environment, load().count) == ("production", 4)
    assert load(environment="production") == load()


def test_the_key_says_which_is_meant_where_none_is_named(write):
    """`environment = "staging"` makes staging what `fab deploy` alone deploys to."""
    write('environment = "staging"\n' + FILE)

    assert (load().environment, load().count) == ("staging", 1)


def test_the_command_line_overrides_an_environment(write):
    """`--environment staging --count 7` means seven servers, whatever staging has."""
    write(FILE)

    assert load(environment="staging", count=7).count == 7


def test_an_empty_table_is_an_environment(write):
    """An environment may differ in its name alone."""
    write(FILE)
    preview = load(environment="preview")

    assert (preview.environment, preview.count) == ("preview", 4)


def test_an_unknown_name_is_told_with_those_that_there_are(write):
    """A typing error does not become an environment of its own."""
    write(FILE)

    with pytest.raises(SettingsError, match=r"there is no environment stagign; did you mean staging\?") as caught:
        load(environment="stagign")
    assert "There are production, staging, preview;" in caught.value.advice
    assert caught.value.exit_code == 2


def test_without_tables_every_name_is_an_environment(write):
    """Whoever has the same settings everywhere names environments as they like."""
    write("count = 3")

    assert (load(environment="review-7").environment, load(environment="review-7").count) == ("review-7", 3)


def test_mistakes_in_every_environment_are_reported_together(write):
    """Whichever is meant: each line has the path that the mistake has in the file, and what may have been meant."""
    write('count = 0\n[environments.staging]\ncuont = 1\n[environments.live]\nserver.flavour = "x"\nseal = "maybe"')

    expected = [
        "count: input should be greater than or equal to 1",
        "environments.staging.cuont: there is no such key; did you mean count?",
        "environments.live.seal: input should be a valid boolean, unable to interpret input",
        "environments.live.server.flavour: there is no such key; did you mean flavor?",
    ]
    assert sorted(mistakes()) == sorted(mistakes(environment="live")) == sorted(expected)


def test_what_is_mended_in_an_environment_is_no_mistake_there(write):
    """A cloud's image may be set in each environment instead of once; `production` then has to be set as well."""
    write('cloud = "acme"\n[environments.live.server]\nimage = "Debian 12"\nflavor = "small"')

    assert load(environment="live").server.flavor == "small"
    assert mistakes() == ["server: has to be set"]


def test_environments_may_be_on_different_clouds(write):
    """The defaults are those of the environment's own cloud."""
    write('[environments.live]\ncloud = "acme"\nserver = {image = "Debian 12", flavor = "small"}')

    assert [listener.port for listener in load().listeners] == [8080, 8443]
    assert [listener.port for listener in load(environment="live").listeners] == [80, 443]


def test_a_name_that_servers_cannot_have_is_a_mistake(write):
    """An environment's name is part of host names."""
    write("[environments.Staging]\ncount = 1")

    assert mistakes() == ["environments.Staging.environment: string should match pattern '^[a-z][a-z0-9-]{0,18}$'"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("environments = 3", "environments: has to be a table of tables, such as [environments.staging]"),
        ("[environments]\nstaging = 3", "environments.staging: has to be a table"),
        ('[environments.a]\nenvironment = "b"', "environments.a.environment: leave it out; it is a"),
    ],
)
def test_environments_that_are_none_are_mistakes(write, text, said):
    """What is no table, or names itself otherwise, is told with its path."""
    write(text)

    with pytest.raises(SettingsError) as caught:
        load()
    assert said in str(caught.value)


def test_the_key_itself_may_be_mistyped(write):
    """`environments` is suggested like every other key."""
    write("[enviroments.staging]\ncount = 1")

    assert mistakes() == ["enviroments: there is no such key; did you mean environments?"]
