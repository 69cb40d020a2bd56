from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0007_lost_disputes"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="stripeevent",
            index=models.Index(
                condition=models.Q(("handled_at__isnull", True)), fields=["object_id"], name="payments_event_unread"
            ),
        ),
    ]
