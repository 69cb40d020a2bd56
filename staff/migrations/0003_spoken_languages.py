from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0002_large_sums"),
    ]

    operations = [
        migrations.AddField(
            model_name="staffmember",
            name="spoken_languages",
            field=models.CharField(
                blank=True,
                help_text="As customers read it: German, English, Portuguese.",
                max_length=120,
                verbose_name="languages spoken",
            ),
        ),
    ]
