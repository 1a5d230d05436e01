"""The background worker."""

import os
import signal
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from guestbook.models import Entry, Heartbeat
from guestbook.tests.clients import by_address, no_database
from guestbook.worker import do_round, review, work


class Reviewing(TestCase):
    client_class = by_address

    def test_shows(self):
        """A plain entry is shown after a round."""
        entry = Entry.objects.create(name="Ada", message="Hello")

        do_round(settings.DEPLOYMENT)

        entry.refresh_from_db()
        assert entry.review == Entry.Review.SHOWN

    def test_hides_links(self):
        """An entry that carries a link is hidden after a round."""
        entry = Entry.objects.create(name="Spammer", message="Buy at https://spam.example")

        do_round(settings.DEPLOYMENT)

        entry.refresh_from_db()
        assert entry.review == Entry.Review.HIDDEN

    def test_once(self):
        """Of two workers that saw the same waiting entry, one reviews it."""
        entry = Entry.objects.create(name="Ada", message="Hello")

        assert [review(entry), review(entry)] == [1, 0]


class Heartbeats(TestCase):
    client_class = by_address

    def test_counts(self):
        """The heartbeat counts what this server's worker has reviewed, over all rounds."""
        for _ in range(2):
            Entry.objects.create(name="Ada", message="Hello")
            do_round(settings.DEPLOYMENT)

        assert Heartbeat.objects.get(server=settings.DEPLOYMENT.server).reviewed == 2

    def test_on_page(self):
        """The page shows the workers seen lately, and not those of servers that are gone."""
        seen = timezone.now() - timedelta(minutes=1)
        Heartbeat.objects.create(server="gone-server", release="r0", seen_at=seen)
        do_round(settings.DEPLOYMENT)

        page = self.client.get("/").content.decode()

        assert f"Worker on {settings.DEPLOYMENT.server}" in page
        assert "gone-server" not in page

    def test_forgets(self):
        """A worker not seen for an hour is forgotten: disposable servers would fill the table."""
        seen = timezone.now() - timedelta(hours=2)
        Heartbeat.objects.create(server="gone-server", release="r0", seen_at=seen)

        do_round(settings.DEPLOYMENT)

        assert not Heartbeat.objects.filter(server="gone-server").exists()


class Running(TransactionTestCase):
    def test_survives_busy_database(self):
        """A round that finds the database busy is skipped; the next one does its work."""
        Entry.objects.create(name="Ada", message="Hello")
        stops = iter([False, True])
        outage = ExitStack()

        def outage_ends() -> bool:
            outage.close()
            return next(stops)

        with self.assertLogs("guestbook.worker") as logged, outage:
            outage.enter_context(connection.execute_wrapper(no_database))
            work(settings.DEPLOYMENT, outage_ends)

        assert logged.records[0].getMessage() == "Round skipped"
        assert Entry.objects.get().review == Entry.Review.SHOWN

    def test_stops_on_sigterm(self):
        """SIGTERM ends the worker between two rounds, at once and cleanly."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        os.kill(os.getpid(), signal.SIGTERM)
        output = StringIO()

        call_command("run_worker", pause=600, stdout=output)

        assert output.getvalue() == "Worker stopped.\n"
        assert Heartbeat.objects.filter(server=settings.DEPLOYMENT.server).exists()
