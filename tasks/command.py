"""What makes a function a task of ours: errors become a few lines on stderr and a documented exit code."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

import fabric
from invoke.exceptions import Exit
from invoke.parser.argument import Argument

from tasks.errors import DeployError, Unfinished
from tasks.report.failure import told


class Command(fabric.Task):  # type: ignore[misc]  # fabric has no types
    """A task whose errors speak. A bug of ours keeps its traceback and exits 1.

    The word that stands alone on its command line may be left out when one of the flags `spared_by` is given.
    """

    def __init__(self, *args: Any, spared_by: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._spared_by = spared_by

    def get_arguments(self, *args: Any, **kwargs: Any) -> list[Argument]:
        """Give the arguments as Invoke's parser wants them."""
        arguments: list[Argument] = super().get_arguments(*args, **kwargs)
        flags = [argument for argument in arguments if argument.name in self._spared_by]
        return [Word(each, flags) if flags and each.positional else each for each in arguments]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task's body.

        :raises Exit: with the message and the exit code of a DeployError.
        """
        # A CI that cancels a job sends SIGTERM: what was begun is undone, as after Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            return super().__call__(*args, **kwargs)
        except DeployError as error:
            raise Exit(told(error, _width()), code=error.exit_code) from error
        except KeyboardInterrupt:
            # The first Ctrl-C is undone as any failure is. This is the second one, or there was nothing to undo.
            sys.stderr.write(
                "\nleft at once; `fab status` shows what is there, `fab deploy` goes on, `fab abort` undoes\n"
            )
            sys.stdout.flush()
            os._exit(Unfinished.exit_code)  # threads that talk to servers would hold a normal exit up


class Word(Argument):
    """A positional argument that nobody misses when one of `flags` is given: it is empty then."""

    def __init__(self, word: Argument, flags: Sequence[Argument]) -> None:
        super().__init__(names=word.names, kind=word.kind, help=word.help, positional=True, attr_name=word.attr_name)
        self._flags = flags

    @property
    def value(self) -> Any:
        """The word that was given; empty if it need not be; None while it is missing."""
        if self._value is None and any(flag.got_value for flag in self._flags):
            return ""
        return self._value

    @value.setter
    def value(self, word: str) -> None:
        self.set_value(word)


def _width() -> int | None:
    """Give the columns of the terminal that errors are printed on; None where it is no terminal, or taken for none."""
    if os.environ.get("CI") or not sys.stderr.isatty():
        return None
    return shutil.get_terminal_size().columns


def command(**options: Any) -> Callable[[Callable[..., None]], Command]:
    """Make a function a Command; `options` are those of `fabric.task`, such as `name` and `help`."""
    return fabric.task(klass=Command, **options)  # type: ignore[no-any-return]
