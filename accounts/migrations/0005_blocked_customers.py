from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_channel_choices"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(condition=models.Q(is_blocked=True), fields=["id"], name="accounts_customer_blocked"),
        ),
    ]
