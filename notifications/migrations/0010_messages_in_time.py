from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0009_mails_to_one_mailbox"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(Coalesce("sent_at", "not_before"), models.F("id"), name="notifications_in_time"),
        ),
    ]
