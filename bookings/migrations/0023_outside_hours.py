import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0022_bookings_by_start"),
    ]

    operations = [
        migrations.AlterField(
            model_name="bookingevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("status", "status"),
                    ("moved", "moved"),
                    ("extras", "extras changed"),
                    ("contact", "contact changed"),
                    ("link", "link renewed"),
                    ("hold_link", "booking link sent"),
                    ("money", "money"),
                    ("coming", "said that they are coming"),
                    ("arrived", "arrived"),
                    ("kept", "kept outside the hours"),
                ],
                default="status",
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="OutsideHours",
            fields=[
                (
                    "booking",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="outside_hours",
                        serialize=False,
                        to="bookings.booking",
                    ),
                ),
                ("sequence", models.PositiveIntegerField()),
                ("since", models.DateTimeField()),
                ("kept_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(kept_at__isnull=True), fields=["booking"], name="bookings_outside_open"
                    )
                ],
            },
        ),
    ]
