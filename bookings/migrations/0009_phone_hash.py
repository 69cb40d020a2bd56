from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0008_arrivals"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="phone_hash",
            field=accounts.fields.PhoneHashField(of="contact_phone", default=""),
            preserve_default=False,
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("phone_hash", ""), _negated=True),
                fields=["phone_hash"],
                name="bookings_booking_phone",
            ),
        ),
    ]
