"""The colours of the page can be told apart from what they stand on (WCAG 2, level AA)."""

import itertools
import re
from importlib import resources

import pytest

from tasks.report.html.words import STAGE_OF

CSS = resources.files("tasks.report.html").joinpath("report.css").read_text()
SCHEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))
STAGES = sorted({stage.replace(" ", "-") for stage in STAGE_OF.values()})
TEXT = ["text", "quiet", "link", "good", "bad", "warn"]


def colours(scheme):
    """Give the colours of a scheme by name."""
    return dict(re.findall(r"--([\w-]+): (#\w{6})", SCHEMES[scheme]))


def contrast(one, other):
    """Give the contrast of two colours, from 1 to 21, as WCAG defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("scheme", "name", "ground"), list(itertools.product(SCHEMES, TEXT, ["page", "panel"])))
def test_text_can_be_read(scheme, name, ground):
    """At least 4.5 to 1, on the page and on its panels."""
    palette = colours(scheme)

    assert contrast(palette[name], palette[ground]) >= 4.5


@pytest.mark.parametrize(("scheme", "stage"), list(itertools.product(SCHEMES, [*STAGES, "bad"])))
def test_words_on_bars_can_be_read_and_bars_can_be_seen(scheme, stage):
    """The words on a bar have 4.5 to 1, the bar itself 3 to 1 at least."""
    palette = colours(scheme)

    assert contrast(palette[stage], palette["on-bar"]) >= 4.5
    assert contrast(palette[stage], palette["page"]) >= 3


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_its_colour(stage):
    """No bar is of no colour."""
    assert f".{stage} {{ --stage: var(--{stage}) }}" in CSS
