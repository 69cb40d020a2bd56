"""What was sent is kept encrypted, as the columns are whose values it may repeat."""

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
        # Backwards the older code would show ciphertext; nothing is lost, so nothing is done.
        migrations.RunPython(encrypt_bodies, migrations.RunPython.noop),
    ]
