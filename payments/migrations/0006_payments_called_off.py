from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_large_sums")]

    operations = [
        migrations.AddField(
            model_name="payment",
            name="called_off_at",
            field=models.DateTimeField(
                blank=True, null=True, help_text="Wanted no more since; the provider may have been faster."
            ),
        ),
    ]
