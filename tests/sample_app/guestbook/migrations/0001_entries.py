"""A guestbook with entries."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Create the entries."""

    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("message", models.CharField(max_length=500)),
                ("signed_at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("server", models.CharField(editable=False, max_length=120)),
                ("release", models.CharField(editable=False, max_length=120)),
            ],
            options={"ordering": ("-signed_at", "-id")},
        ),
    )
