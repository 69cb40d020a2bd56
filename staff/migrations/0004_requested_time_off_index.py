from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0003_spoken_languages"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="timeoff",
            index=models.Index(
                fields=["resource"], condition=models.Q(status="requested"), name="staff_timeoff_requested"
            ),
        ),
    ]
