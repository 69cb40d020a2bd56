import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0008_unread_notices")]

    operations = [
        migrations.CreateModel(
            name="ReceiptDocument",
            fields=[
                (
                    "receipt",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="document",
                        serialize=False,
                        to="payments.receipt",
                    ),
                ),
                ("pdf", models.BinaryField()),
                ("drawn_at", models.DateTimeField()),
            ],
        ),
    ]
