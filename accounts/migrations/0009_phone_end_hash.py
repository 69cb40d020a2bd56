from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_phone_hashes_of_known_customers"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="phone_end_hash",
            field=accounts.fields.PhoneEndHashField(of="phone"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("phone_end_hash", ""), _negated=True),
                fields=["phone_end_hash"],
                name="accounts_phone_end",
            ),
        ),
    ]
