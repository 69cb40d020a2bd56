from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0010_phone_hashes_of_known_bookings"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(Lower("contact_email"), name="bookings_booking_mailbox"),
        ),
    ]
