from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0003_coming"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="booking",
            index=models.Index(
                Lower("contact_email"), condition=models.Q(status="no_show"), name="bookings_no_show_email"
            ),
        ),
    ]
