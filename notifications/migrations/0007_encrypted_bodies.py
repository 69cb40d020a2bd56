"""Encrypt the stored texts of sent messages, like the columns whose values they may repeat."""

from typing import Any

from django.db import migrations

import core.fields
from core.fields import encrypt_column


def encrypt_bodies(apps: Any, schema_editor: Any) -> None:
    encrypt_column(schema_editor.connection, "notifications_notification", "body")


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_one_pseudonym_for_each_person")]
    operations = [
        migrations.AlterField("notification", "body", core.fields.EncryptedTextField(blank=True)),
        # After a reverse the old code shows ciphertext. No data is lost, so the reverse does nothing.
        migrations.RunPython(encrypt_bodies, migrations.RunPython.noop),
    ]
