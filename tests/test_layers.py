"""Which way imports run. The layout is the architecture; this keeps it so."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A part may import those of the same line and of every line below it. `localcloud` stands apart.
LAYERS = [
    {"program"},
    {"collection"},
    {"deploy", "servers", "node", "rotate", "rollback", "history", "reap", "local", "init", "doctor"},
    {"stage"},
    {"recording"},
    {"hooking"},
    {"wiring_checkup"},
    {"wiring"},
    {"wiring_profiles", "wiring_goals"},
    {"cloud", "hosts", "report", "local_cloud", "command"},
    {"rollout", "starting"},
    {"settings_file"},
    {"settings", "release", "waiting", "environments"},
    {"setting_kinds"},
    {"outcomes", "findings"},
    {"errors", "plain", "operators"},
]
HEAVY = {"novaclient", "keystoneauth1", "openstack", "paramiko", "fabric", "requests", "pydantic", "rich"}
# Fabric itself brings these.
SSH = {"fabric", "paramiko"}


def modules():
    """Give every module of ours with the names it imports, and whether it does so when it is loaded."""
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        tree = ast.parse(path.read_text())
        checked_only = {id(child) for node in ast.walk(tree) if _is_type_checking(node) for child in ast.walk(node)}
        yield path, {name for node in ast.walk(tree) if id(node) not in checked_only for name in _names(node)}


def _is_type_checking(node):
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def _names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module == "tasks":
        return [f"tasks.{alias.name}" for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def part(name):
    """Give the part that a module name or a path below tasks/ belongs to."""
    return name.split(".")[1] if name.startswith("tasks.") else ""


def layer(name):
    """Give how far down a part is."""
    return next(depth for depth, parts in enumerate(LAYERS) if name in parts)


MODULES = list(modules())


def _own_part(path):
    return path.relative_to(ROOT / "tasks").parts[0].removesuffix(".py")


@pytest.mark.parametrize(("path", "imports"), MODULES, ids=[str(path.relative_to(ROOT)) for path, _ in MODULES])
def test_imports_run_down(path, imports):
    """No module imports a part above its own."""
    own = _own_part(path)
    if own in {"localcloud", "__init__"}:
        return
    above = {name for name in imports if part(name) and part(name) != own and layer(part(name)) < layer(own)}

    assert above == set()


def test_the_local_cloud_stands_apart():
    """It imports nothing of the rest, and nothing of the rest imports it: all traffic between them is HTTP and SSH."""
    inside = {(path.name, name) for path, imports in MODULES for name in imports if _own_part(path) == "localcloud"}
    outside = {(path.name, name) for path, imports in MODULES for name in imports if _own_part(path) != "localcloud"}

    assert {(where, name) for where, name in inside if part(name) not in {"", "localcloud"}} == set()
    assert {(where, name) for where, name in outside if part(name) == "localcloud"} == set()


def test_the_rollout_knows_no_network_library():
    """What must happen is decided without knowing how an API or a connection looks."""
    named = {
        (path.name, name.split(".")[0]) for path, imports in MODULES for name in imports if _own_part(path) == "rollout"
    }

    assert {(where, name) for where, name in named if name in HEAVY} == set()


def test_clouds_and_hosts_know_only_the_words_of_the_rollout():
    """They import its model, its claims and its ports, not its planner or loop."""
    names = {name for path, imports in MODULES for name in imports if _own_part(path) in {"cloud", "hosts"}}
    words = {f"tasks.rollout.{name}" for name in ("model", "labels", "claims", "ports")}

    assert {name for name in names if part(name) == "rollout"} <= words


def test_listing_the_tasks_loads_nothing_heavy():
    """Clouds, settings and tables are imported when a task runs, not when the tasks are listed."""
    code = f"import sys; from tasks import ns; print(sorted({HEAVY - SSH} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert shown.strip() == "[]"


def test_every_package_is_installed():
    """Setuptools does not find packages called tasks by itself, so each is listed; an installed copy has them all."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "tasks").rglob("__init__.py")}

    assert set(listed) == there | {"bootstrap_scripts"}


def test_no_module_hides_another():
    """`inv` puts tasks/ first on sys.path: a module there must not be called like one of Python or a dependency."""
    ours = {path.stem if path.is_file() else path.name for path in (ROOT / "tasks").iterdir()} - {"__init__"}
    taken = set(sys.stdlib_module_names) | HEAVY | {"invoke", "asyncssh", "starlette", "uvicorn", "envoy", "yaml"}

    assert ours & taken == set()
