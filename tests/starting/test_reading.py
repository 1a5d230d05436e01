"""Somebody's files may hold anything; no file is a reason to stop."""

import warnings

import pytest

from tasks.starting.looking import look
from tasks.starting.reading import text_of, tree_of

MANAGE = 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")'
DEEP = 100_000


@pytest.mark.parametrize(
    "name", ["app.py", "package.json", "pyproject.toml", "Procfile", "requirements.txt", "manage.py"]
)
@pytest.mark.parametrize(
    "content",
    [b"", b"\0\xff\xfe", b"[" * DEEP, b"{" * DEEP, b"-" * DEEP + b"1", b"a = " + b"[" * DEEP, b"web" * DEEP],
    ids=["empty", "binary", "brackets", "braces", "signs", "nested", "long"],
)
def test_files_of_any_content_are_read(tmp_path, name, content):
    """What cannot be understood says nothing; the app beside it is still found."""
    (tmp_path / name).write_bytes(content)
    (tmp_path / "main.py").write_text("app = Flask(__name__)")

    assert look(tmp_path).seen == "main:app"


def test_settings_of_any_content_are_read(tmp_path):
    """A Django site is one even if its settings cannot be understood."""
    (tmp_path / "manage.py").write_text(MANAGE)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "settings.py").write_text("ALLOWED_HOSTS = " + "-" * DEEP + "1")

    assert look(tmp_path).processes["web"].startswith("gunicorn shop.wsgi ")


@pytest.mark.parametrize("path", ["nowhere", ".", "loop"])
def test_what_is_no_file_has_no_text(tmp_path, path):
    """Neither has a folder, nor a link to itself."""
    (tmp_path / "loop").symlink_to("loop")

    assert text_of(tmp_path / path) == ""


def test_a_mark_at_the_beginning_is_not_part_of_the_text(tmp_path):
    """Editors of Windows leave one."""
    (tmp_path / "app.py").write_bytes(b"\xef\xbb\xbfapp = Flask(__name__)\r\n")

    assert look(tmp_path).seen == "app:app"


def test_the_style_of_the_app_is_not_complained_about(tmp_path):
    """Python warns of odd escapes when it parses; that is its owner's business."""
    path = tmp_path / "app.py"
    path.write_text('pattern = "\\d"\n')

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert tree_of(path).body
    assert warned == []
