from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_customer_references"),
    ]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name="is_prepayment_exempt",
            field=models.BooleanField(
                default=False,
                help_text=(
                    "On the website this counts in the browser in which the customer has opened their booking from one"
                    " of our mails; anybody else could have typed the address. It always counts when staff book for"
                    " them."
                ),
                verbose_name="never asked to pay in advance",
            ),
        ),
    ]
