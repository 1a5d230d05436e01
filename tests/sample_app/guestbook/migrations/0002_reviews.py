"""The worker reviews entries and leaves a heartbeat.

Made so that servers of the release before go on working on the new schema: the new column has a default in the
database, and nothing they use changes.
"""

from django.db import migrations, models


def show_existing(apps, schema_editor) -> None:
    """Entries that visitors could read before there was a review stay readable."""
    apps.get_model("guestbook", "Entry").objects.update(review="shown")


class Migration(migrations.Migration):
    """Add the review of entries and the workers' heartbeats."""

    dependencies = (("guestbook", "0001_entries"),)
    operations = (
        migrations.AddField(
            model_name="entry",
            name="review",
            field=models.CharField(
                choices=[("waiting", "Waiting"), ("shown", "Shown"), ("hidden", "Hidden")],
                db_default="waiting",
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("server", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("release", models.CharField(max_length=120)),
                ("seen_at", models.DateTimeField()),
                ("reviewed", models.PositiveIntegerField(default=0)),
            ],
            options={"ordering": ("server",)},
        ),
        migrations.RunPython(show_existing, migrations.RunPython.noop),
    )
