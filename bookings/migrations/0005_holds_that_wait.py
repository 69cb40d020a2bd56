from django.db import migrations, models

WAITING = ["held", "pending_payment", "requested"]


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0004_no_shows_by_email"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="booking", name="bookings_hold_visitor"),
        migrations.RemoveIndex(model_name="booking", name="bookings_hold_address"),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["visitor_hash"], condition=models.Q(status__in=WAITING), name="bookings_hold_visitor"
            ),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                fields=["address_hash"], condition=models.Q(status__in=WAITING), name="bookings_hold_address"
            ),
        ),
    ]
