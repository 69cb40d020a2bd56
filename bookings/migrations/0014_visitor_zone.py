from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bookings", "0013_confirmed_start_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="booking",
            name="visitor_zone",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Where the customer's browser was.", max_length=64
            ),
        ),
    ]
