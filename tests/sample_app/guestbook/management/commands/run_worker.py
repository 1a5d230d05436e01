"""`manage.py run_worker`: the worker as a process."""

import signal

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from guestbook.worker import work

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    """Do rounds until SIGTERM or SIGINT, which end the process cleanly between two rounds."""

    help = "Review entries and leave a heartbeat until told to stop (SIGTERM)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the pause between two rounds."""
        parser.add_argument("--pause", type=float, default=2.0, help="seconds between two rounds (default: 2)")

    def handle(self, *, pause: float, **_options: object) -> None:
        """Run in the foreground."""
        # Blocked, a signal waits to be asked for: it cannot tear a round apart, and the pause ends the moment it comes.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        work(settings.DEPLOYMENT, lambda: signal.sigtimedwait(STOP_SIGNALS, pause) is not None)
        self.stdout.write("Worker stopped.")
