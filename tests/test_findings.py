"""What was found out about what a deploy needs, and how that ends."""

import pytest

from tasks.errors import CloudError, NotFound, SettingsError
from tasks.findings import Finding, failed, fine, gathered, looked, not_well, require, wrong


def refusing(error):
    """Give a look that ends in this error."""

    def look():
        raise error

    return look


def test_what_is_wrong_is_told_with_what_mends_it_on_one_line():
    """Preflight lists such lines; what was seen may have had several."""
    assert wrong("image", "there is\nnone", "set `server.image`").problem == "there is; none; set `server.image`"
    assert wrong("image", "there is none").problem == "there is none"


def test_what_was_seen_is_kept():
    """A look that comes to its end says how it is."""
    assert looked("image", lambda: "Debian 12") == fine("image", "Debian 12")


def test_the_advice_of_an_error_comes_before_the_setting():
    """Whoever knows more about it has the first word."""
    found = looked("image", refusing(NotFound("there is none", advice="did you mean 'x'?")), "set `server.image`")

    assert (found.ok, found.seen) == (False, "there is none")
    assert found.remedy == "did you mean 'x'? set `server.image`"


def test_errors_that_mean_something_else_are_passed_on():
    """A cloud that can not be asked has not said that the choice is wrong."""
    with pytest.raises(CloudError, match="answered 500"):
        looked("image", refusing(CloudError("it answered 500")), wrong_when=(NotFound,))


def test_a_question_that_can_not_be_answered_is_one_finding():
    """The others are put all the same."""
    (found,) = gathered("claims", refusing(CloudError("it answered 500")))

    assert (found.what, found.ok, found.seen) == ("claims", False, "it answered 500")
    assert gathered("claims", lambda: iter([fine("claims", "none")])) == [fine("claims", "none")]


def test_where_all_is_well_nothing_is_raised():
    """A choice that need not be made is no fault."""
    choice = Finding(what="interrupted deploy", ok=True, seen="one", remedy="`fab abort`")

    require([fine("image", "x"), choice])
    assert not_well([choice]) == []


@pytest.mark.parametrize(
    ("errors", "code"),
    [([CloudError("x")], 3), ([SettingsError("x")], 2), ([CloudError("x"), SettingsError("x")], 2)],
    ids=["the cloud", "a setting", "both"],
)
def test_settings_are_to_be_mended_first(errors, code):
    """The exit code is 2 when a setting is wrong, whatever else is, else 3; all that is wrong is named."""
    found = [fine("release", "r1"), *(failed(f"thing {number}", error) for number, error in enumerate(errors))]

    with pytest.raises((SettingsError, CloudError), match=f"{len(errors)} of {len(found)} are not ok: thing 0") as told:
        require(found)

    assert told.value.exit_code == code
