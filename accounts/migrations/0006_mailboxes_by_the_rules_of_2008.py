"""Compare customers' e-mail addresses by IDNA2008 instead of IDNA2003.

Only addresses with non-ASCII letters in their domain change. If the old form belonged to another domain (fass.de for
faß.de), the mails went to that domain's owner. A stranger may then have proven the mailbox, so the proof is removed.
"""

from typing import Any

from django.db import migrations

from accounts.contact.mailboxes import normalised_email


def normalise_again(apps: Any, schema_editor: Any) -> None:
    customers = apps.get_model("accounts", "Customer").objects.using(schema_editor.connection.alias)
    for customer in customers.order_by("pk").iterator():
        normalised = normalised_email(customer.email)
        if customer.email.isascii() or normalised == customer.email_normalised:
            continue
        same = customers.filter(email_normalised=normalised).first()
        if same is None:
            had_other_domain = customer.email_normalised.isascii()
            customer.email_normalised = normalised
            customer.email_proven_at = None if had_other_domain else customer.email_proven_at
            customer.save(update_fields=["email_normalised", "email_proven_at"])
            continue
        # The same person has two records. From now on the record with the right form is the one that is found.
        if customer.is_blocked and not same.is_blocked:
            same.is_blocked = True
            same.save(update_fields=["is_blocked"])
        customer.email_normalised = f"same-as-{same.pk}.{customer.pk}@invalid"
        customer.save(update_fields=["email_normalised"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_blocked_customers"),
    ]

    operations = [
        # The old form can be computed from the address, but no code reads it, so the reverse changes nothing.
        migrations.RunPython(normalise_again, migrations.RunPython.noop),
    ]
