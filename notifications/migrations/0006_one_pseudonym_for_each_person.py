"""Replace the pseudonyms of other written forms of a phone number or mailbox by the one that is used from now on.

A pseudonym cannot be reversed. The migration therefore computes the old pseudonyms of all known numbers and addresses,
and looks for those. STOP and unsubscribes stay in force. A bounce under the old form of a mailbox is left alone,
because it concerns another owner's domain.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import migrations

from accounts.contact.mailboxes import normalised_email
from accounts.contact.same_phones import phone_hash, phone_key
from core.references import keyed_hash

TEXTS = ("sms", "whatsapp")


def rename_pseudonyms(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    customers = apps.get_model("accounts", "Customer").objects.using(alias)
    notifications = apps.get_model("notifications", "Notification").objects.using(alias)
    inbound = apps.get_model("notifications", "InboundMessage").objects.using(alias)
    suppressions = apps.get_model("notifications", "Suppression").objects.using(alias)
    numbers = {phone_key(each) for rows in (customers, notifications) for each in _phones(rows)}
    for old, new in _renamed(numbers):
        inbound.filter(address_hash=old).update(address_hash=new)
        notifications.filter(address=old, channel__in=TEXTS).update(address=new)
        for row in suppressions.filter(address_hash=old, channel__in=TEXTS):
            same = suppressions.filter(channel=row.channel, address_hash=new)
            if not same.exists():
                row.address_hash = new
                row.save(update_fields=["address_hash"])
                continue
            if row.reason == "stop":
                same.update(reason="stop", since=row.since)
            row.delete()
    for email in customers.values_list("email", flat=True).iterator():
        if not email.isascii():
            _keep_unsubscribed(suppressions, email)


def _phones(rows: Any) -> Iterator[str]:
    return iter(rows.exclude(phone="").values_list("phone", flat=True).iterator())


def _renamed(keys: set[str]) -> Iterator[tuple[str, str]]:
    """Yield the old pseudonym of each other written form of a number, and the current pseudonym."""
    for key in keys:
        for written in _other_forms(key):
            yield keyed_hash(settings.LINK_KEY, f"phone:{written}"), phone_hash(key)


def _other_forms(key: str) -> list[str]:
    forms = {
        "+52": f"+521{key[3:]}",
        "+54": f"+549{key[3:]}",
        "+55": f"{key[:5]}{key[6:]}",
    }
    return [written for country, written in forms.items() if key.startswith(country) and phone_key(written) == key]


def _keep_unsubscribed(suppressions: Any, email: str) -> None:
    local, _, domain = email.strip().lower().rpartition("@")
    try:
        old = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        old = f"{local}@{domain}"
    new = normalised_email(email)
    old_hash, new_hash = (keyed_hash(settings.LINK_KEY, f"email:{form}") for form in (old, new))
    said = suppressions.filter(channel="email", address_hash=old_hash, reason="unsubscribed").first()
    if old != new and said and not suppressions.filter(channel="email", address_hash=new_hash).exists():
        suppressions.create(channel="email", address_hash=new_hash, reason="unsubscribed", since=said.since)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_mailboxes_by_the_rules_of_2008"),
        ("notifications", "0005_sms_parts"),
    ]

    operations = [
        # The old pseudonyms cannot be restored, and the new ones serve as well, so the reverse changes nothing.
        migrations.RunPython(rename_pseudonyms, migrations.RunPython.noop),
    ]
