"""What makes a function a task of ours: errors become a few lines on stderr and a documented exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import fabric
from invoke.exceptions import Exit

from tasks.errors import DeployError, Unfinished


class Command(fabric.Task):  # type: ignore[misc]  # fabric has no types
    """A task whose errors speak. A bug of ours keeps its traceback and exits 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task's body.

        :raises Exit: with the message and the exit code of a DeployError.
        """
        # A CI that cancels a job sends SIGTERM: what was begun is undone, as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return super().__call__(*args, **kwargs)
        except DeployError as error:
            raise Exit(f"error: {error}", code=error.exit_code) from error
        except KeyboardInterrupt:
            # The first Ctrl-C is undone as any failure is. This is the second one, or there was nothing to undo.
            sys.stderr.write("\nleft at once; `fab status` shows what is there, the next `fab deploy` cleans up\n")
            sys.stdout.flush()
            os._exit(Unfinished.exit_code)  # threads that talk to servers would hold a normal exit up


def command(**options: Any) -> Callable[[Callable[..., None]], Command]:
    """Make a function a Command; `options` are those of `fabric.task`, such as `name` and `help`."""
    return fabric.task(klass=Command, **options)  # type: ignore[no-any-return]
