"""What the migrations do to a guestbook in use."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import TransactionTestCase


def migrate(name):
    """Bring the database to the migration and return its models."""
    executor = MigrationExecutor(connection)
    executor.migrate([("guestbook", name)])
    return executor.loader.project_state([("guestbook", name)]).apps


class Reviews(TransactionTestCase):
    def test_upgrade(self):
        """Entries from before reviews stay readable, and servers of that release go on writing on the new schema."""
        old_entries = migrate("0001_entries").get_model("guestbook", "Entry").objects
        old_entries.create(name="Ada", message="before")

        new_entries = migrate("0002_reviews").get_model("guestbook", "Entry").objects
        old_entries.create(name="Ada", message="by an old server")

        assert dict(new_entries.values_list("message", "review")) == {"before": "shown", "by an old server": "waiting"}
