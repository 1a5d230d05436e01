"""Django's settings. What differs between servers and environments comes from the environment."""

import os
from pathlib import Path

import dj_database_url

from guestbook.deployment import Deployment, secret_key

DEPLOYMENT = Deployment.from_environ()
SECRET_KEY = secret_key(DEPLOYMENT.own_folder)
DEBUG = os.environ.get("DEBUG") == "1"

# guestbook.hosts decides: Django's own list cannot say "any IP address", and load balancers ask by address.
ALLOWED_HOSTS = ["*"]
NAMED_HOSTS = os.environ.get("ALLOWED_HOSTS", "localhost").split()
CSRF_TRUSTED_ORIGINS = os.environ.get("CSRF_TRUSTED_ORIGINS", "").split()
# Behind a load balancer that ends TLS the browser's origin is https although the request arrives in plain HTTP.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = ["guestbook"]
MIDDLEWARE = [
    "guestbook.hosts.known_hosts_only",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "guestbook.urls"
WSGI_APPLICATION = "guestbook.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

# Connections stay open between requests: the last one to close a WAL file locks out everybody who opens it meanwhile.
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{(DEPLOYMENT.own_folder / 'guestbook.sqlite3').absolute()}",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    Path(DATABASES["default"]["NAME"]).parent.mkdir(parents=True, exist_ok=True)
    # Several servers' processes share the file: readers do not wait for a writer (WAL), and writers wait in line.
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    # Every server of a deploy runs the unit tests, perhaps at the same moment on one database server.
    DATABASES["default"]["TEST"] = {"NAME": f"test_{DEPLOYMENT.own_folder.name}_{DEPLOYMENT.server}"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
