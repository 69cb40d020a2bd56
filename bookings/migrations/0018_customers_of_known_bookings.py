"""Give every booking that was made before a customer: guests who gave the address of another customer had none.

The rule is that of ``accounts.operations.customer_of_contact``: a booking goes to the record with the same mailbox, name
and phone number (without e-mail: the same name and number), else it gets a record of its own. Nothing that is known of a
customer changes.
"""

from typing import Any

from django.db import migrations
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.contact.names import name_key
from accounts.contact.same_phones import phone_hash

BATCH = 1000


def give_customers(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    bookings = apps.get_model("bookings", "Booking").objects.using(alias)
    customers = apps.get_model("accounts", "Customer").objects.using(alias)
    bills = apps.get_model("payments", "Bill").objects.using(alias)
    consents = apps.get_model("accounts", "Consent").objects.using(alias)
    # A time that was held, or ran out before it was booked, is nobody's.
    without = bookings.filter(customer=None).exclude(status="held").exclude(status="expired", payment_mode="")
    without = without.exclude(contact_name="", contact_email="", phone_hash="").order_by("pk")
    last = 0
    while batch := list(without.filter(pk__gt=last)[:BATCH]):
        for booking in batch:
            customer = _known(customers, booking) or _made(customers, booking)
            bookings.filter(pk=booking.pk).update(customer_id=customer.pk)
            bills.filter(pk=booking.bill_id, customer=None).update(customer_id=customer.pk)
            consents.filter(subject_ref=f"booking:{booking.pk}", customer=None).update(customer_id=customer.pk)
        last = batch[-1].pk


def _known(customers: Any, booking: Any) -> Any:
    same = Q(phone_hash=phone_hash(booking.contact_phone))
    if booking.contact_email:
        same &= Q(mailbox__in=same_mailbox(normalised_email(booking.contact_email)))
    elif not booking.contact_phone:
        return None
    found = customers.annotate(mailbox=Lower("email")).filter(same, erased_at=None).order_by("pk")
    return next((each for each in found if name_key(each.name) == name_key(booking.contact_name)), None)


def _made(customers: Any, booking: Any) -> Any:
    mailbox = normalised_email(booking.contact_email) if booking.contact_email else None
    is_taken = mailbox is None or customers.filter(email_normalised=mailbox).exists()
    return customers.create(
        name=booking.contact_name,
        email=booking.contact_email,
        email_normalised=None if is_taken else mailbox,
        phone=booking.contact_phone,
        language=booking.language,
        created_at=booking.created_at,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_customer_references"),
        ("bookings", "0017_bookings_of_a_customer"),
        ("payments", "0011_declines"),
    ]

    operations = [
        # Which bookings had no customer is not kept; that they have one harms nothing.
        migrations.RunPython(give_customers, migrations.RunPython.noop),
    ]
