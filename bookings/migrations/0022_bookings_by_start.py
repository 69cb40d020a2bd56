from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0021_hold_links"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(fields=["starts_at", "id"], name="bookings_booking_start"),
        ),
    ]
