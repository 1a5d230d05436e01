"""The background work: review what visitors wrote, and leave a heartbeat. Knows nothing of processes and signals."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import OperationalError, close_old_connections
from django.db.models import F
from django.utils import timezone

from guestbook.deployment import Deployment
from guestbook.models import Entry, Heartbeat

log = logging.getLogger(__name__)

FORGOTTEN = timedelta(hours=1)


def work(deployment: Deployment, stop_requested: Callable[[], bool]) -> None:
    """Do rounds until a stop is requested; `stop_requested` waits between them and says whether it came.

    A round that finds the database busy or away is skipped, not fatal: the next one does its work.
    """
    while True:
        try:
            do_round(deployment)
        except OperationalError:
            log.exception("Round skipped")
        close_old_connections()  # a broken one too: the next round opens its own
        if stop_requested():
            return


def do_round(deployment: Deployment) -> None:
    """Review all waiting entries, then say that this server's worker is alive."""
    reviewed = sum(review(entry) for entry in Entry.objects.filter(review=Entry.Review.WAITING))
    beat, _ = Heartbeat.objects.update_or_create(
        server=deployment.server, defaults={"release": deployment.release, "seen_at": timezone.now()}
    )
    if reviewed:
        Heartbeat.objects.filter(pk=beat.pk).update(reviewed=F("reviewed") + reviewed)
        log.info("Reviewed %d entries", reviewed)
    Heartbeat.objects.filter(seen_at__lt=timezone.now() - FORGOTTEN).delete()


def review(entry: Entry) -> int:
    """Show the entry, or hide it when it advertises; return 1, or 0 when another server's worker was faster."""
    advertises = "://" in entry.message or "://" in entry.name
    verdict = Entry.Review.HIDDEN if advertises else Entry.Review.SHOWN
    return Entry.objects.filter(pk=entry.pk, review=Entry.Review.WAITING).update(review=verdict)
