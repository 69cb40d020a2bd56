"""Compute the pseudonyms of phone numbers that were stored before the column existed."""

from typing import Any

from django.db import migrations

from accounts.contact.same_phones import phone_hash

BATCH = 1000


def fill_phone_hashes(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("accounts", "Customer").objects.using(schema_editor.connection.alias)
    waiting, last = rows.filter(phone_hash="").exclude(phone="").order_by("pk"), 0
    while batch := list(waiting.filter(pk__gt=last).only("pk", "phone")[:BATCH]):
        for row in batch:
            row.phone_hash = phone_hash(row.phone)
        rows.bulk_update(batch, ["phone_hash"])
        last = batch[-1].pk


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_phone_hash"),
    ]

    operations = [
        # The reverse does nothing, because the column is dropped.
        migrations.RunPython(fill_phone_hashes, migrations.RunPython.noop),
    ]
