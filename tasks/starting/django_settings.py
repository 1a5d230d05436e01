"""Settings for servers, for a Django site whose own suit a laptop: they import the site's, and change nothing there."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum

HEALTH_PATH = "/healthz"


class Lack(StrEnum):
    """What a site's own settings do not give its servers."""

    HOSTS = "the names they answer to"
    DATABASE = "a database outside of the app's folder"
    HEALTH = "a path that says that they work"


_BEGIN = '''\
"""The site's settings on servers: those of {module}, and what differs there.

Written by `fab init`; yours to change. deploy.toml names it in [env].
"""
{imports}
from {module} import *  # noqa: F403
'''
_HOSTS = """
DEBUG = False
# Every name is answered to: put the site's own here as soon as it has one.
ALLOWED_HOSTS = ["*"]
"""
_DATABASE = """
# Every deploy replaces the app's folder. On the local cloud all servers share
# $SHARED_DIR; elsewhere, mount a volume there or use a database server.
DATABASES["default"]["NAME"] = "{SHARED_DIR}/{APP_NAME}-{ENVIRONMENT}.sqlite3".format(**os.environ)
"""
_HEALTH = """
# Before all else: what checks a server knows none of the site's names.
MIDDLEWARE = [f"{__name__}.healthz", *MIDDLEWARE]


def healthz(get_response):
    \"\"\"Answer `check.path` when the database answers.\"\"\"

    def answer(request):
        if request.path != "/healthz":
            return get_response(request)
        from django.db import connection
        from django.http import HttpResponse

        connection.ensure_connection()
        return HttpResponse("ok\\n", content_type="text/plain")

    return answer
"""
_PARTS = {Lack.HOSTS: _HOSTS, Lack.DATABASE: _DATABASE, Lack.HEALTH: _HEALTH}


def settings_for_servers(module: str, lacks: AbstractSet[Lack]) -> str:
    """Give the text of the settings.

    :param module: the site's own settings.
    :param lacks: what these are helped with.
    """
    begin = _BEGIN.format(module=module, imports="\nimport os\n" if Lack.DATABASE in lacks else "")
    return begin + "".join(text for lack, text in _PARTS.items() if lack in lacks)
