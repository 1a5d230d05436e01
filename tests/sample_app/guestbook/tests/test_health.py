"""The health check, and which hosts are answered."""

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import TestCase, override_settings

from guestbook.tests.clients import by_address, no_database


class Healthy(TestCase):
    client_class = by_address

    def test_says_who_answers(self):
        """A fit server answers 200 and names app, release and server."""
        response = self.client.get("/healthz")

        assert response.status_code == 200
        assert response.json() == {
            "status": "ok",
            "app": settings.DEPLOYMENT.app,
            "release": settings.DEPLOYMENT.release,
            "generation": settings.DEPLOYMENT.generation,
            "server": settings.DEPLOYMENT.server,
            "database": "ok",
            "pending_migrations": [],
        }

    def test_newer_schema(self):
        """A server stays fit when a newer release has migrated the database: it serves until it is drained."""
        MigrationRecorder(connection).record_applied("guestbook", "0999_of_the_next_release")

        assert self.client.get("/healthz").status_code == 200


class Unfit(TestCase):
    client_class = by_address

    def test_pending_migration(self):
        """A server whose release needs a migration that was not applied answers 503 and names it."""
        MigrationRecorder(connection).record_unapplied("guestbook", "0002_reviews")

        response = self.client.get("/healthz")

        assert response.status_code == 503
        assert response.json()["pending_migrations"] == ["guestbook.0002_reviews"]

    def test_unreachable_database(self):
        """A server that cannot reach its database answers 503, and does not tell the world where that is."""
        with self.assertLogs("guestbook.health"), connection.execute_wrapper(no_database):
            response = self.client.get("/healthz")

        assert response.status_code == 503
        assert response.json()["database"] == "unreachable"
        assert "db.internal" not in response.content.decode()


class Hosts(TestCase):
    client_class = by_address

    def test_addresses(self):
        """Every IP address is answered, with and without a port: load balancers ask by address."""
        for host in ("127.12.0.3:8000", "10.0.0.7", "[::1]:8000"):
            assert self.client.get("/healthz", headers={"host": host}).status_code == 200, host

    @override_settings(NAMED_HOSTS=["guestbook.example"])
    def test_names(self):
        """Of names, only those in ALLOWED_HOSTS are answered; others get 400."""
        assert self.client.get("/healthz", headers={"host": "guestbook.example"}).status_code == 200
        self.assertContains(
            self.client.get("/healthz", headers={"host": "evil.example"}), "evil.example", status_code=400
        )
