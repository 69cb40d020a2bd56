from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0014_visitor_zone"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="phone_end_hash",
            field=accounts.fields.PhoneEndHashField(of="contact_phone"),
        ),
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                condition=models.Q(("phone_end_hash", ""), _negated=True),
                fields=["phone_end_hash"],
                name="bookings_phone_end",
            ),
        ),
    ]
