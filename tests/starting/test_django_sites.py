"""What a Django site is seen to be, and what is written for one whose settings suit a laptop."""

import pytest

from tasks.settings import PACKAGE_ROOT, Settings
from tasks.starting.looking import look
from tasks.starting.model import Kind

MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n'
BIND = '--bind "$PRIVATE_IP:$NODE_PORT"'


def test_the_sample_app_needs_no_settings_of_its_own():
    """What is seen of the guestbook is what the defaults say: commands, check, requirements, web process."""
    found = look(PACKAGE_ROOT / "tests" / "sample_app")
    defaults = {name: Settings.model_fields[name].default for name in ("commands", "check", "source", "processes")}

    assert found.kind is Kind.DJANGO
    assert (found.migrate, found.test) == (defaults["commands"].migrate, defaults["commands"].test)
    assert (found.check_path, found.requirements) == (defaults["check"].path, defaults["source"].requirements)
    assert found.processes["web"] == defaults["processes"]["web"]
    assert (found.files, found.advice) == ({}, ())


@pytest.mark.parametrize(
    ("settings", "web"),
    [
        ('WSGI_APPLICATION = "shop.web.application"\n', "gunicorn shop.web"),
        ('WSGI_APPLICATION = "shop.web.site"\n', "gunicorn shop.web:site"),
        ("DEBUG = False\n", "gunicorn shop.wsgi"),
    ],
)
def test_a_django_sites_settings_name_its_application(app, settings, web):
    """Where they do not, it is the one that Django itself would make."""
    found = app({"manage.py": MANAGE, "shop/settings.py": settings, "requirements.txt": "django\ngunicorn\n"})

    assert found.processes == {"web": f"{web} {BIND}"}


def test_settings_may_be_a_package(app):
    """`shop.settings` may be a folder."""
    found = app({"manage.py": MANAGE, "shop/settings/__init__.py": 'WSGI_APPLICATION = "shop.web.application"'})

    assert found.processes["web"].startswith("gunicorn shop.web ")


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ('["shop.example.com"]', "shop.example.com"),
        ('[".example.com"]', "example.com"),
        ('["*", "a.example"]', ""),
        ("os.environ['HOSTS'].split()", ""),
    ],
)
def test_a_django_site_is_checked_by_a_name_that_it_answers_to(app, hosts, host):
    """ALLOWED_HOSTS that name hosts refuse a check that asks for the private IP."""
    urls = 'path("healthz", up)'
    found = app({"manage.py": MANAGE, "shop/settings.py": f"ALLOWED_HOSTS = {hosts}\n", "shop/urls.py": urls})

    assert (found.check_host, found.check_path) == (host, "/healthz")
    assert (found.advice, found.env) == ((), {})
    assert "settings_servers.py" not in found.files


def test_a_fresh_django_project_gets_settings_for_servers(app):
    """What `django-admin startproject` writes answers nobody but localhost, and forgets its data with every deploy."""
    settings = 'ALLOWED_HOSTS = []\nDATABASES = {"default": {"NAME": BASE_DIR / "db.sqlite3"}}\n'
    found = app({"manage.py": MANAGE, "shop/settings.py": settings})
    text = found.files["settings_servers.py"]

    assert found.env == {"DJANGO_SETTINGS_MODULE": "settings_servers"}
    assert (found.check_path, found.check_host) == ("/healthz", "")
    assert "from shop.settings import *" in text
    assert ("ALLOWED_HOSTS" in text, "SHARED_DIR" in text, "def healthz" in text) == (True, True, True)
    assert found.advice[0].startswith("settings_servers.py: read it.")
    compile(text, "settings_servers.py", "exec")


@pytest.mark.parametrize(
    ("settings", "urls", "part"),
    [
        ("ALLOWED_HOSTS = []", 'path("healthz", up)', "ALLOWED_HOSTS"),
        ('DATABASES = {"default": {"NAME": BASE_DIR / "db.sqlite3"}}', 'path("healthz", up)', "import os"),
        ("", "", "MIDDLEWARE"),
    ],
)
def test_settings_for_servers_help_with_what_is_missing_alone(app, settings, urls, part):
    """A site that says the rest itself is not told otherwise."""
    found = app({"manage.py": MANAGE, "shop/settings.py": settings, "shop/urls.py": urls})
    text = found.files["settings_servers.py"]

    assert [one for one in ("ALLOWED_HOSTS", "import os", "MIDDLEWARE") if one in text] == [part]
    compile(text, "settings_servers.py", "exec")
