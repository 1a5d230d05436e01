"""Credentials and tokens."""

from datetime import UTC, datetime, timedelta

import pytest

from tasks.localcloud.identity.credentials import TOKEN_LIFE, Tokens, new_credentials


def test_credentials_are_new_every_time():
    """No two clouds have the same password or API key."""
    first, second = new_credentials(), new_credentials()

    assert first.password != second.password
    assert first.api_key != second.api_key


def test_the_project_looks_like_a_number():
    """A project id is six digits, as Rackspace's are."""
    assert new_credentials().project.isdigit()
    assert len(new_credentials().project) == 6


@pytest.mark.parametrize("password", ["", "wrong", "pässwörd"])
def test_a_wrong_password_is_not_accepted(password: str):
    """Only the password itself opens the door, whatever characters are tried."""
    credentials = new_credentials()

    assert not credentials.accepts_password(credentials.username, password)


def test_an_api_key_is_no_password():
    """The old habit of giving the API key as password does not work (keystone: 401)."""
    credentials = new_credentials()

    assert credentials.accepts_api_key(credentials.username, credentials.api_key)
    assert not credentials.accepts_password(credentials.username, credentials.api_key)


def test_secrets_do_not_show_in_repr():
    """Printing credentials or a token shows no secret."""
    credentials, token = new_credentials(), Tokens().issue()

    assert credentials.password not in repr(credentials)
    assert credentials.api_key not in repr(credentials)
    assert token.id not in repr(token)


def test_a_token_is_good_for_a_day():
    """A token is accepted until 24 hours have passed (Identity docs, manage-auth-tokens)."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tokens = Tokens(now=lambda: now)
    token = tokens.issue()

    now += TOKEN_LIFE - timedelta(seconds=1)
    assert tokens.accept(token.id)
    now += timedelta(seconds=1)
    assert not tokens.accept(token.id)


@pytest.mark.parametrize("made_up", ["", "token", "tökén"])
def test_a_made_up_token_is_not_accepted(made_up: str):
    """Only tokens that were issued are accepted."""
    tokens = Tokens()
    tokens.issue()

    assert not tokens.accept(made_up)
