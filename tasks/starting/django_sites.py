"""Recognising a Django site: manage.py names its settings, these name the rest."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.starting import requirements
from tasks.starting.django_settings import HEALTH_PATH, Lack, settings_for_servers
from tasks.starting.model import BIND, SERVER_SETTINGS, App, Kind
from tasks.starting.reading import UNREADABLE, health_path, text_of, tree_of

_SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["']\s*,\s*["']([\w.]+)["']""")
_WSGI = re.compile(r"""^WSGI_APPLICATION\s*=\s*["']([\w.]+)\.(\w+)["']""", re.MULTILINE)


def django_site(folder: Path) -> App | None:
    """Give the Django site in a folder, if there is one."""
    named = _SETTINGS.search(text_of(folder / "manage.py"))
    if not named:
        return None
    module = named[1]
    settings = _file_of(folder, module)
    needed = requirements.with_server(folder, "gunicorn")
    hosts, path = _allowed_hosts(settings), health_path(folder)
    lacks = set(_lacks(settings, hosts, path))
    return App(
        kind=Kind.DJANGO,
        seen=f"manage.py, with the settings {module}",
        processes={"web": f"gunicorn {_wsgi(settings, module)} --bind {BIND}"},
        migrate="python manage.py migrate --noinput",
        test="python manage.py test --noinput",
        requirements=needed.name,
        env={"DJANGO_SETTINGS_MODULE": SERVER_SETTINGS} if lacks else {},
        check_path=HEALTH_PATH if lacks else path,
        check_host=_host(hosts),
        files={**needed.files, **({f"{SERVER_SETTINGS}.py": settings_for_servers(module, lacks)} if lacks else {})},
        advice=tuple(_advice(settings, lacks)),
    )


def _file_of(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _wsgi(settings: Path, module: str) -> str:
    named = _WSGI.search(text_of(settings))
    if named:
        return named[1] if named[2] == "application" else f"{named[1]}:{named[2]}"
    return f"{module.partition('.')[0]}.wsgi"


def _allowed_hosts(settings: Path) -> list[str] | None:
    """Give ALLOWED_HOSTS, where it stands there in plain words."""
    for node in tree_of(settings).body:
        if isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "ALLOWED_HOSTS" for one in node.targets):
            value = _literal(node.value)
            return [str(host) for host in value] if isinstance(value, list | tuple) else None
    return None


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except UNREADABLE:
        return None


def _host(hosts: list[str] | None) -> str:
    named = [host for host in hosts or [] if re.fullmatch(r"\.?[\w.-]+", host)]
    return named[0].lstrip(".") if named and "*" not in (hosts or []) else ""


def _lacks(settings: Path, hosts: list[str] | None, path: str) -> Iterator[Lack]:
    if hosts == []:
        yield Lack.HOSTS
    if re.search(r"BASE_DIR\s*/\s*['\"][\w.-]*sqlite", text_of(settings)):
        yield Lack.DATABASE
    if path == "/":
        yield Lack.HEALTH


def _advice(settings: Path, lacks: set[Lack]) -> Iterator[str]:
    if lacks:
        missing = f"{settings.name} does not give them {', '.join(lack for lack in Lack if lack in lacks)}"
        yield f"{SERVER_SETTINGS}.py: read it. Servers run with it, because {missing}."
