"""A customer who left traces everywhere, by the operations that customers and staff use, and a search for them.

``plant`` returns the customer; ``tables_with`` says in which tables any of the words can still be read, decrypted where
the column is encrypted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.contact.contact import Contact
from accounts.customer_record import By, set_customer_trust, tag_customer, write_note
from accounts.models import Customer
from bookings.lifecycle import Actor
from bookings.models import Booking
from bookings.operations.agendas import enqueue_agendas
from bookings.operations.cancel import cancel_booking
from bookings.operations.desk_payment import record_payment
from bookings.operations.help import answer_help, send_help
from bookings.operations.message_choices import Chosen, choose_messages
from bookings.operations.session_notes import add_follow_up, save_session_note
from core.fields import decrypted
from core.minutes import minute_of
from notifications.enums import Channel
from notifications.models import PushSubscription
from notifications.operations import send_due
from notifications.reports.inbound import store_text
from payments.enums import Method
from tests import factories
from tests.factories import Studio
from tests.journeys import DESK, booked, completed
from tests.money import deliver

ZELDA = Contact(
    name="Zelda Quintarelli",
    email="Zelda.Quintarelli@needle.example",
    phone="+4915155509876",
    note="Hazelneedle allergy",
)
WORDS = (
    *("zelda", "quintarelli", "needle.example", "5155509876", "hazelneedle", "parkingneedle", "answerneedle"),
    *("sessionneedle", "followneedle", "noteneedle", "tagneedle", "trustneedle", "paidneedle", "cancelneedle"),
    *("deviceneedle", "textneedle"),
)
_TOKEN = re.compile(r"gAAAA[\w-]+=*")
_BY = By(None, "Sam")


@dataclass
class Planted:
    customer: Customer
    visit: Booking
    cancelled: Booking
    place: Studio

    @property
    def over_at(self) -> datetime:
        """A moment at which both visits are over."""
        return self.visit.ends_at + timedelta(days=3)


def plant(now: datetime = factories.NOW, *, contact: Contact = ZELDA, place: Studio | None = None) -> Planted:
    """Bring a customer into every table: a visit that was paid, one that was cancelled, notes, messages, choices."""
    place = place or factories.studio()
    visit = _book(place, contact, now, days=1)
    cancelled = _book(place, contact, now, days=2)
    customer = Customer.objects.get(pk=visit.customer_id)
    send_due(now=now, limit=50)
    enqueue_agendas(now=_at(place, now, days=1, hour=7))
    send_due(now=_at(place, now, days=1, hour=7), limit=50)
    _talk(visit, now)
    _note(customer, visit, now)
    _choose(visit, now)
    cancel_booking(
        booking_id=cancelled.pk,
        expected_fee_minor=0,
        expected_sequence=cancelled.ical_sequence,
        actor=DESK,
        now=now,
        reason="Cancelneedle: called",
    )
    completed(visit)
    record_payment(
        booking_id=visit.pk,
        method=Method.CASH,
        amount_minor=visit.total_minor,
        note="Paidneedle",
        request_key=f"needle-{visit.pk}",
        actor=DESK,
        now=visit.ends_at,
    )
    deliver(now=visit.ends_at)
    send_due(now=visit.ends_at, limit=50)
    customer.refresh_from_db()
    visit.refresh_from_db()
    return Planted(customer, visit, cancelled, place)


def tables_with(words: Iterable[str] = WORDS) -> dict[str, set[str]]:
    """Return the words that can be read in each table, whatever their case."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT each::text FROM "{table}" AS each')
            if seen := words_in("\n".join(row for (row,) in cursor.fetchall()), words):
                found[table] = seen
    return found


def words_in(dump: str, words: Iterable[str] = WORDS) -> set[str]:
    """Return the words that a dump contains, in the clear, encrypted, or as the bytes of a column."""
    clear = _TOKEN.sub(lambda token: decrypted(token[0]), dump).lower()
    return {word for word in words if word in clear or word.encode().hex() in clear}


def _at(place: Studio, now: datetime, *, days: int, hour: int) -> datetime:
    zone = ZoneInfo(place.location.time_zone)
    day = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(hour), zone)


def _book(place: Studio, contact: Contact, now: datetime, *, days: int) -> Booking:
    start = minute_of(_at(place, now, days=days, hour=10))
    return booked(place, contact=contact, start_minute=start, visitor_hash="browser", address_hash="network", now=now)


def _talk(visit: Booking, now: datetime) -> None:
    send_help(booking_id=visit.pk, text="Parkingneedle?", now=now)
    answer_help(booking_id=visit.pk, text="Answerneedle.", actor=DESK, now=now)
    send_due(now=now, limit=50)
    store_text(
        provider_ref=f"SM{visit.pk}",
        channel=Channel.SMS,
        sender=visit.contact_phone,
        text="Textneedle, I am late",
        opt_out="",
        now=now,
    )


def _note(customer: Customer, visit: Booking, now: datetime) -> None:
    therapist = Actor(DESK.kind, DESK.channel, name="Ana")
    save_session_note(booking_id=visit.pk, text="Sessionneedle", expected_version=0, actor=therapist, now=now)
    add_follow_up(booking_id=visit.pk, text="Followneedle", due_on=None, actor=therapist, now=now)
    write_note(customer_id=customer.pk, text="Noteneedle", by=_BY, now=now)
    tag_customer(customer_id=customer.pk, tag="tagneedle")
    trust: dict[str, Any] = {"is_prepayment_exempt": False, "was_prepayment_exempt": False, "by": _BY, "now": now}
    set_customer_trust(
        customer_id=customer.pk, is_blocked=True, was_blocked=False, reason="Trustneedle: shouted", **trust
    )
    set_customer_trust(customer_id=customer.pk, is_blocked=False, was_blocked=True, reason="", **trust)


def _choose(visit: Booking, now: datetime) -> None:
    chosen = Chosen({Channel.PUSH: True}, (1320, 420), True, "We may send you news.")
    choose_messages(booking_id=visit.pk, chosen=chosen, now=now)
    visit.refresh_from_db()
    PushSubscription.objects.create(
        person_ref=f"customer:{visit.customer_id}",
        endpoint=f"https://push.example/deviceneedle/{visit.pk}",
        p256dh="k",
        auth="a",
        created_at=now,
    )
