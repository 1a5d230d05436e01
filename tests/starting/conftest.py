"""Folders with somebody's app in them."""

import pytest

from tasks.starting.looking import look


@pytest.fixture
def app(tmp_path):
    """Give a function that looks at an app with these files."""

    def app(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return look(tmp_path)

    return app
