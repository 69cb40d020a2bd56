from django.db import migrations, models

import core.fields


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0007_encrypted_bodies"),
    ]

    operations = [
        migrations.AddField(
            model_name="inboundmessage",
            name="body",
            field=core.fields.EncryptedTextField(blank=True),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="handled_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="handled_by",
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="is_for_desk",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="inboundmessage",
            name="sender",
            field=core.fields.EncryptedTextField(blank=True, help_text="The number, where the words are kept."),
        ),
        migrations.AlterField(
            model_name="inboundmessage",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("waiting", "not looked at yet"),
                    ("stopped", "gets nothing more"),
                    ("restarted", "gets messages again"),
                    ("ignored", "left to the front desk"),
                ],
                default="waiting",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("handled_at", None), ("is_for_desk", True)),
                fields=["received_at"],
                name="notifications_inbound_desk",
            ),
        ),
    ]
