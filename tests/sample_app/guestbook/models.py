"""What the guestbook keeps: entries, and a sign of life from each server's worker."""

from datetime import timedelta

from django.db import models
from django.utils import timezone


class Entry(models.Model):
    """What one visitor wrote, and the server that took it."""

    class Review(models.TextChoices):
        """How far the worker has come with an entry."""

        WAITING = "waiting"
        SHOWN = "shown"
        HIDDEN = "hidden"

    name = models.CharField(max_length=60)
    message = models.CharField(max_length=500)
    signed_at = models.DateTimeField(default=timezone.now, db_index=True)
    server = models.CharField(max_length=120, editable=False)
    release = models.CharField(max_length=120, editable=False)
    # The default is the database's too: servers of the release before, which do not know this column, still write.
    review = models.CharField(max_length=10, choices=Review, default=Review.WAITING, db_default=Review.WAITING)

    class Meta:
        """Newest first, as the page lists them."""

        ordering = ("-signed_at", "-id")

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


class Heartbeat(models.Model):
    """One server's worker: when it was last seen, and how much it has done."""

    FRESH = timedelta(seconds=15)

    server = models.CharField(max_length=120, primary_key=True)
    release = models.CharField(max_length=120)
    seen_at = models.DateTimeField()
    reviewed = models.PositiveIntegerField(default=0)

    class Meta:
        """By name, so that the list does not jump about."""

        ordering = ("server",)

    def __str__(self) -> str:
        return f"{self.server} ({self.release})"

    @classmethod
    def fresh(cls) -> models.QuerySet["Heartbeat"]:
        """Return the workers that were seen within the last 15 seconds."""
        return cls.objects.filter(seen_at__gte=timezone.now() - cls.FRESH)
