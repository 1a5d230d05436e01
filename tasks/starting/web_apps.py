"""Recognising a WSGI or ASGI application (Flask, FastAPI, a plain callable …) by reading, never by importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tasks.starting import requirements
from tasks.starting.model import BIND, App, Kind
from tasks.starting.reading import health_path, tree_of

_FIRST = ("wsgi.py", "app.py", "application.py", "main.py", "server.py", "asgi.py", "__init__.py")
_MAKERS = {
    **dict.fromkeys(("Flask", "Bottle", "get_wsgi_application", "make_wsgi_app"), Kind.WSGI),
    **dict.fromkeys(("FastAPI", "Starlette", "Quart", "Litestar", "get_asgi_application"), Kind.ASGI),
}
_FACTORIES = ("create_app", "make_app")
_CALLABLES = ("app", "application")


def web_app(folder: Path) -> App | None:
    """Give the WSGI or ASGI application in a folder, if there is one."""
    for path in _modules(folder):
        found = _application(tree_of(path))
        if found:
            name, kind = found
            return _app(folder, f"{_dotted(path.relative_to(folder))}:{name}", kind)
    return None


def _app(folder: Path, target: str, kind: Kind) -> App:
    server = "gunicorn" if kind is Kind.WSGI else "uvicorn"
    needed = requirements.with_server(folder, server)
    return App(
        kind=kind,
        seen=target,
        processes={"web": _command(target, kind)},
        test="python -m pytest -q" if requirements.names(folder, "pytest") else "",
        requirements=needed.name,
        check_path=health_path(folder),
        files=needed.files,
    )


def _command(target: str, kind: Kind) -> str:
    if kind is Kind.WSGI:
        # A factory's parentheses are the shell's as well.
        return f"gunicorn {_quoted(target)} --bind {BIND}"
    factory = " --factory" if target.endswith("()") else ""
    return f'uvicorn {target.removesuffix("()")}{factory} --host "$PRIVATE_IP" --port "$NODE_PORT"'


def _quoted(target: str) -> str:
    return f'"{target}"' if target.endswith("()") else target


def _modules(folder: Path) -> Iterator[Path]:
    """Give the modules in which an application may stand: the usual names first, then those of packages."""
    packages = sorted(path.parent for path in folder.glob("*/__init__.py") if path.parent.name.isidentifier())
    for where in (folder, *packages):
        there = sorted(where.glob("*.py"), key=lambda path: _FIRST.index(path.name) if path.name in _FIRST else 99)
        yield from (path for path in there if path.stem.isidentifier() and not path.name.startswith("test"))


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _application(tree: ast.Module) -> tuple[str, Kind] | None:
    """Give the name of a module's application and what it is; a factory's with "()"."""
    for look in (_assigned, _callable, _factory):
        for node in tree.body:
            found = look(node)
            if found:
                return found
    return None


def _assigned(node: ast.stmt) -> tuple[str, Kind] | None:
    if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(node.value, ast.Call):
        return None
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    maker = getattr(node.value.func, "attr", getattr(node.value.func, "id", ""))
    kind = _MAKERS.get(maker, Kind.WSGI if maker in _FACTORIES else None)
    return (target.id, kind) if kind and isinstance(target, ast.Name) else None


def _callable(node: ast.stmt) -> tuple[str, Kind] | None:
    """Recognise `def application(environ, start_response)`, and ASGI's `async def app(scope, receive, send)`."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name not in _CALLABLES:
        return None
    kinds = {(ast.FunctionDef, 2): Kind.WSGI, (ast.AsyncFunctionDef, 3): Kind.ASGI}
    kind = kinds.get((type(node), len(node.args.args)))
    return (node.name, kind) if kind else None


def _factory(node: ast.stmt) -> tuple[str, Kind] | None:
    if not isinstance(node, ast.FunctionDef) or node.name not in _FACTORIES:
        return None
    required = len(node.args.args) - len(node.args.defaults)
    made = {
        getattr(one.func, "attr", getattr(one.func, "id", "")) for one in ast.walk(node) if isinstance(one, ast.Call)
    }
    kind = next((_MAKERS[maker] for maker in sorted(made) if maker in _MAKERS), Kind.WSGI)
    return (f"{node.name}()", kind) if required == 0 else None
