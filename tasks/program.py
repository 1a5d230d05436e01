"""The command `disposable-servers`: `fab` with these tasks, for a folder that has no fabfile yet."""

from __future__ import annotations


def run() -> None:
    """Run the tasks that the command line names, and exit."""
    from fabric.config import Config
    from fabric.executor import Executor
    from fabric.main import Fab

    from tasks.collection import ns

    Fab(name="disposable-servers", namespace=ns, executor_class=Executor, config_class=Config).run()
