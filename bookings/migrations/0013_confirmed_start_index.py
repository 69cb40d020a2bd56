from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0012_unproven_bookings"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("status", "confirmed")), fields=["starts_at"], name="bookings_confirmed_start"
            ),
        ),
    ]
