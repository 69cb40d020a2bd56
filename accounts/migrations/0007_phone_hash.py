from django.db import migrations, models

import accounts.fields


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_mailboxes_by_the_rules_of_2008"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="phone_hash",
            field=accounts.fields.PhoneHashField(of="phone", default=""),
            preserve_default=False,
        ),
        migrations.RemoveIndex(
            model_name="customer",
            name="accounts_customer_blocked",
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(is_blocked=True), fields=["phone_hash"], name="accounts_blocked_phone"
            ),
        ),
    ]
