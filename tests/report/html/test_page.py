"""The page as text: what is on it, and what can not get on it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from tasks.report.html.page import page
from tests.report.html.stories import HOSTILE, SETTINGS, STORIES
from tests.report.runs import Told, broken, deployed


class Elements(HTMLParser):
    """What a page is made of, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """Note an element and its attributes."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        """Note words; a style sheet has none."""
        self.words += "" if self.tags[-1:] == ["style"] else f"{data} "


def shown(told):
    """Give the words on the page of a run."""
    return " ".join(Elements(page(told.run())).words.split())


@pytest.mark.parametrize("story", STORIES)
def test_it_refers_to_nothing_outside_itself(story):
    """It can be opened from a file, sent by mail, and read in ten years; only the journal beside it is linked to."""
    found = Elements(page(STORIES[story].run()))
    addresses = [value for name, value in found.attributes if name in {"src", "href", "action", "data", "srcset"}]

    assert addresses == ["journal.jsonl"]
    assert "url(" not in page(STORIES[story].run())


@pytest.mark.parametrize("story", STORIES)
def test_its_policy_allows_its_own_style_sheet_alone(story):
    """No script, no image, no frame; no style but the one whose digest is named."""
    text = page(STORIES[story].run())
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert not {name for name, _ in Elements(text).attributes} & {"style", "onclick", "onload", "onerror"}


def test_what_servers_print_is_no_markup():
    """Elements of a hostile output are text, escape sequences are gone, and turned writing is spelled out."""
    text = page(broken(HOSTILE).run())

    assert not {"script", "img"} & set(Elements(text).tags)
    assert "&lt;script&gt;" in text
    assert r"\u202ereversed" in text
    assert "\x1b" not in text


def test_names_are_no_markup_either():
    """Whoever names a server writes on the page; so does a file of settings."""
    name = 'shop-test-"><b onclick=x>'
    told = Told().begun(settings={"<i>": {"<u>": "<s>"}}, release="<em>").step("Check", name, 0, 1).ended(1)
    found = Elements(page(told.run()))

    assert not {"i", "u", "s", "em"} & set(found.tags)
    assert "onclick" not in {name for name, _ in found.attributes}


def test_it_says_what_was_run_and_how_it_ended():
    """In the words of the exit codes."""
    assert shown(broken()).startswith("Deploy of shop to test: new servers failed and were removed, nothing changed")
    assert "(exit code 4)" in shown(broken())


def test_a_failure_is_shown_with_its_output_and_its_end_once():
    """The run's error repeats that of its step; what serves now, and what to do, follow."""
    words = shown(broken("no space left"))

    assert words.count("no space left") == 1
    assert "Serving as before: 1 server. Look at its log." in words


def test_what_was_only_told_to_stop_is_not_called_a_failure():
    """One cause, one heading."""
    assert page(broken().run()).count("<h3") == 1


def test_a_failure_that_no_step_had_is_shown():
    """Preflight refused, or the claim was lost."""
    told = Told().begun().ended(0.1, "claimed", 6, kind="Claimed", error="the deploy of ada is at work", advice="Wait.")

    assert "What failed the deploy of ada is at work Wait." in shown(told)


def test_what_the_run_says_beyond_its_step_is_shown_too():
    """What was undone is told after the failure itself."""
    assert "nodes of https are not ONLINE The old ones serve." in shown(STORIES["large"])


def test_the_settings_are_there_by_their_paths():
    """As one writes them into deploy.toml; lists and nothing are words."""
    words = shown(Told().begun(settings=SETTINGS | {"listeners": [{"name": "http", "port": 80}]}).ended(1))

    for row in ("env.LANG C", "env.SECRET_KEY ********", "networks none", "seal false", "listeners[0].port 80"):
        assert row in words


def test_the_plan_is_there():
    """In the order in which it becomes possible."""
    assert "1 create slot 1 2 create slot 2" in shown(STORIES["large"])


def test_requests_are_counted_and_listed():
    """How many, how long together, and what was answered."""
    words = shown(deployed())

    assert "compute GET 1 0.05 1 times 200" in words
    assert "9.40 compute PUT /servers/detail 422 0.050" in words


def test_what_was_said_meanwhile_is_there():
    """Waits for rate limits explain a slow run."""
    assert "9.4 s: asking again in 2 s" in shown(deployed())


def test_durations_are_those_of_what_ended_well():
    """The shortest, the middle one and the longest."""
    assert "set up 2 3.0 s 3.5 s 4.0 s" in shown(deployed())


def test_the_critical_path_is_told_in_words():
    """In its order, with how much of the run it makes."""
    assert "wait for: 13.9 s of 14.1 s. take the claim" in shown(deployed())


def test_a_run_that_did_nothing_has_no_timeline():
    """An empty picture helps nobody."""
    assert "Timeline" not in shown(Told().begun().ended(0.0, "claimed", 6))


def test_every_picture_has_words():
    """Each lane says in words what it shows, and each bar has a title."""
    text = page(deployed().run())

    assert text.count('role="img" aria-label="') == 6
    assert 'aria-label="Server 2: boot, 2.8 s from 200 ms on; set up, 4.0 s from 3.0 s on;' in text
    assert text.count("<title>") == 1 + text.count('class="bar') + text.count('class="tick')
