"""Reasons that staff give are kept encrypted: they may say something about a person."""

from typing import Any

from django.db import migrations

import core.fields
from core.fields import encrypt_column


def encrypt_reasons(apps: Any, schema_editor: Any) -> None:
    encrypt_column(schema_editor.connection, "bookings_bookingevent", "reason")


class Migration(migrations.Migration):
    dependencies = [("bookings", "0006_large_sums")]
    operations = [
        migrations.AlterField("bookingevent", "reason", core.fields.EncryptedTextField(blank=True)),
        # Backwards the older code would show ciphertext; nothing is lost, so nothing is done.
        migrations.RunPython(encrypt_reasons, migrations.RunPython.noop),
    ]
