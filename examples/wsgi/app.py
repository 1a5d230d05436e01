"""A WSGI application without a framework; Flask's `app = Flask(__name__)` is recognised in the same way."""

import os
from collections.abc import Callable, Iterable
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer `/` with who answers, `/healthz` with ok, and everything else with 404."""
    pages = {
        "/": f"answered by {os.environ['SERVER_NAME']}, release {os.environ['RELEASE']}\n",
        "/healthz": "ok\n",
    }
    page = pages.get(environ["PATH_INFO"])
    body = (page or "There is no such page.\n").encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK" if page else "404 Not Found", headers)
    return [body]
