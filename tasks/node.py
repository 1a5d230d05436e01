"""The stages of a server, each alone: on `-H PRIVATE_IP`, on `--server NAME`, or on the newest generation."""

from __future__ import annotations

from invoke.context import Context

from tasks.command import command

SERVER = "Only this server: its name, id or private IP (as `-H` does, for inv too)."
ENVIRONMENT = "Which environment; without it, the setting `environment`."
HELP = {"server": SERVER, "environment": ENVIRONMENT}


@command(help=HELP)
def setup(c: Context, server: str | None = None, environment: str | None = None) -> None:
    """Push the release to new servers and set them up.

    Runs the bootstrap scripts in the order of their names. Safe to repeat.
    """
    from tasks.rollout.steps import SetUp
    from tasks.stage import run_on_all

    run_on_all(SetUp, c, server, environment)


@command(help=HELP)
def migrate(c: Context, server: str | None = None, environment: str | None = None) -> None:
    """Run the app's migrations on one new server.

    That is the leader of the newest generation, if none is named.
    """
    from tasks.rollout.steps import Migrate
    from tasks.stage import run_on_leader

    run_on_leader(Migrate, c, server, environment)


@command(help=HELP)
def test(c: Context, server: str | None = None, environment: str | None = None) -> None:
    """Run the app's own unit tests on new servers."""
    from tasks.rollout.steps import TestApp
    from tasks.stage import run_on_all

    run_on_all(TestApp, c, server, environment)


@command(help=HELP)
def check(c: Context, server: str | None = None, environment: str | None = None) -> None:
    """Start the app on new servers and check that it answers.

    It is started only where it does not run yet, and asked on the private IP and node port.
    """
    from tasks.rollout.steps import Check
    from tasks.stage import run_on_all

    run_on_all(Check, c, server, environment)
