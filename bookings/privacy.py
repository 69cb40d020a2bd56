"""Personal data in bookings: contact, wishes, notes, history, and agendas and effects that name a customer."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.enums import Reading
from accounts.models import AccessLog, Customer
from bookings.booked import local
from bookings.enums import ActorKind
from bookings.messages.kinds import MessageKind
from bookings.models import (
    Booking,
    BookingEvent,
    BookingLine,
    FollowUp,
    HelpMessage,
    HoldLink,
    SessionNote,
    UnprovenBooking,
    WalkIn,
)
from bookings.refs import booking_id_of, booking_ref
from core.models import OutboxMessage
from core.money import major
from core.personal_data import DataKind, Erasing, Held, Person, iso
from notifications.models import Notification
from payments.models import Payment, Receipt, Refund, SavedCard


def booking_ids(person: Person) -> list[int]:
    return [pk for ref in person.refs if (pk := booking_id_of(ref)) is not None]


def _bookings(person: Person) -> QuerySet[Booking]:
    return Booking.objects.filter(pk__in=booking_ids(person))


def _agendas(person: Person) -> QuerySet[Notification]:
    """Return the morning mails to staff that list a visit of the person among those of others."""
    lines = BookingLine.objects.filter(booking__in=_bookings(person)).exclude(staff_member=None)
    days: dict[str, set[date]] = {}
    for line in lines.select_related("booking__location"):
        day = local(line.starts_at, line.booking).date()
        days.setdefault(f"staff:{line.staff_member_id}", set()).add(day)
    listed = Q(pk__in=[])
    for ref, on in days.items():
        listed |= Q(subject_ref=ref, details__on__in=[each.isoformat() for each in on])
    return Notification.objects.filter(listed, kind=MessageKind.AGENDA)


def _failed_effects(person: Person) -> QuerySet[OutboxMessage]:
    refs = list(person.refs)
    payments = Payment.objects.filter(subject_ref__in=refs).values_list("pk", flat=True)
    of = {
        "payment_id": list(payments),
        "refund_id": list(Refund.objects.filter(payment__subject_ref__in=refs).values_list("pk", flat=True)),
        "receipt_id": list(Receipt.objects.filter(subject_ref__in=refs).values_list("pk", flat=True)),
        "saved_card_id": list(SavedCard.objects.filter(subject_ref__in=refs).values_list("pk", flat=True)),
        "subject_ref": refs,
    }
    about = Q(pk__in=[])
    for name, values in of.items():
        about |= Q(**{f"payload__{name}__in": values})
    return OutboxMessage.objects.filter(about).exclude(error="")


def _walk_ins(person: Person) -> QuerySet[WalkIn]:
    return WalkIn.objects.filter(Q(customer__in=person.customer_ids) | Q(booking__in=_bookings(person)))


def _history(person: Person) -> QuerySet[BookingEvent]:
    return BookingEvent.objects.filter(booking__in=_bookings(person))


HELD = (
    Held(
        model="core.OutboxMessage",
        columns=("error",),
        what=_("Error of an effect, which may quote an answer of Stripe"),
        why=_("To find the cause"),
        kind=DataKind.LOGS,
        erasing=Erasing.BLANK,
        rows=_failed_effects,
        note=_("Technical. What it is about is in the payments and messages of the export."),
    ),
    Held(
        model="notifications.Notification",
        columns=("body",),
        what=_("Morning mails to staff, which list the customers of a day by first name"),
        why=_("So that therapists know their day"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.BLANK,
        rows=_agendas,
        note=_("The visits are in the export. The mail also names other customers."),
    ),
    Held(
        model="bookings.UnprovenBooking",
        columns=("email_hash", "phone_hash", "visitor_hash", "address_hash"),
        what=_("Pseudonyms of mailbox, number, browser and network address of a booking not yet confirmed by a link"),
        why=_("To limit bookings under addresses of strangers"),
        kind=DataKind.LOGS,
        erasing=Erasing.DELETE,
        rows=lambda person: UnprovenBooking.objects.filter(booking__in=_bookings(person)),
        note=_("They repeat the contact details, and are deleted after a day to 30 days on their own."),
    ),
    Held(
        model="bookings.HoldLink",
        columns=("address_hash",),
        what=_("Pseudonym of the mailbox or number to which the desk sent a link to finish a booking"),
        why=_("So that using the link proves the address"),
        kind=DataKind.LOGS,
        erasing=Erasing.DELETE,
        rows=lambda person: HoldLink.objects.filter(booking__in=_bookings(person)),
        note=_("It repeats the contact details, and is deleted with the booking, or a day after the link has ended."),
    ),
    Held(
        model="bookings.WalkIn",
        columns=("name", "phone", "email"),
        what=_("Name, phone and e-mail of a person who came without a booking and waits"),
        why=_("To call them when it is their turn, and to book them"),
        kind=DataKind.CONTACT,
        erasing=Erasing.BLANK,
        rows=_walk_ins,
        note=_("It repeats the contact of the booking, and is deleted on its own after a day."),
    ),
    Held(
        model="bookings.SessionNote",
        columns=("text",),
        what=_("Session notes of therapists"),
        why=_("To prepare the next visit"),
        kind=DataKind.NOTES,
        erasing=Erasing.DELETE,
        rows=lambda person: SessionNote.objects.filter(booking__in=_bookings(person)),
        export="bookings",
    ),
    Held(
        model="bookings.FollowUp",
        columns=("text",),
        what=_("Tasks of staff after a visit"),
        why=_("To do what was promised"),
        kind=DataKind.NOTES,
        erasing=Erasing.DELETE,
        rows=lambda person: FollowUp.objects.filter(booking__in=_bookings(person)),
        export="bookings",
    ),
    Held(
        model="bookings.HelpMessage",
        columns=("text",),
        what=_("Messages between a customer and the front desk"),
        why=_("To help with a booking"),
        kind=DataKind.MESSAGES,
        erasing=Erasing.DELETE,
        rows=lambda person: HelpMessage.objects.filter(booking__in=_bookings(person)),
        export="bookings",
    ),
    Held(
        model="bookings.BookingEvent",
        columns=("reason",),
        what=_("Reasons that staff gave for a change of a booking"),
        why=_("To explain the change later"),
        kind=DataKind.LOGS,
        erasing=Erasing.BLANK,
        rows=lambda person: _history(person).exclude(reason=""),
        export="bookings",
        note=_("What was changed and when stays, because sums and statuses are proven by it."),
    ),
    Held(
        model="bookings.BookingEvent",
        columns=("actor_name",),
        what=_("Who changed a booking"),
        why=_("To see who changed what"),
        kind=DataKind.LOGS,
        erasing=Erasing.BLANK,
        rows=lambda person: _history(person).filter(actor_kind=ActorKind.CUSTOMER).exclude(actor_name=""),
        export="bookings",
        note=_("Names of staff stay."),
    ),
    Held(
        model="bookings.Booking",
        columns=("customer_note", "visit_address"),
        what=_("What a customer wrote when booking, and the address of a home visit"),
        why=_("To prepare the visit and to find the way"),
        kind=DataKind.ANSWERS,
        erasing=Erasing.BLANK,
        rows=_bookings,
        export="bookings",
    ),
    Held(
        model="bookings.Booking",
        columns=(
            *("contact_name", "contact_email", "contact_phone", "phone_hash", "phone_end_hash", "visitor_hash"),
            *("address_hash", "hold_token_hash", "visitor_zone", "meeting_url"),
        ),
        what=_("Name, e-mail and phone as typed when booking, pseudonyms of browser and network address, time zone"),
        why=_("To confirm the booking, remind of it and find it again"),
        kind=DataKind.CONTACT,
        erasing=Erasing.BLANK,
        rows=_bookings,
        # A new version ends the links that were sent.
        values={
            "hold_token_hash": None,
            "link_version": F("link_version") + 1,
            "staff_link_version": F("staff_link_version") + 1,
        },
        export="bookings",
        note=_("Reference, time, place, services, status and sums stay."),
    ),
    *(
        Held(
            model=f"bookings.{model}",
            columns=(column,),
            what=what,
            why=_("To ask them about it"),
            kind=DataKind.STAFF,
            erasing=Erasing.KEEP,
            note=_("It is about staff, and is deleted with the text."),
        )
        for model, column, what in (
            ("HelpMessage", "author_name", _("Staff member who answered a customer")),
            ("SessionNote", "author_name", _("Therapist who wrote a session note")),
            ("FollowUp", "author_name", _("Staff member who wrote a task")),
            ("HoldLink", "sent_by_name", _("Staff member who sent a link to finish a booking")),
            ("WalkIn", "added_by_name", _("Staff member who put a person on the walk-in queue")),
        )
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "bookings.Booking": ("reference", "language", "currency", "terms", "payment_mode"),
    # Copies of the catalogue.
    "bookings.BookingLine": ("service_name", "variant_name", "preparation", "phases", "requirements", "add_ons"),
    # Codes, ids, sums and times.
    "bookings.BookingEvent": ("details",),
}


def exported(person: Person) -> dict[str, Any]:
    """Return the bookings of the customer with everything that was written about them. A few queries, however many."""
    lines = BookingLine.objects.select_related("staff_member")
    found = _bookings(person).select_related("location", "session_note").order_by("starts_at", "pk")
    related = ("events", "help_messages", "follow_ups")
    bookings = list(found.prefetch_related(Prefetch("lines", lines), *related))
    return {"bookings": [_booking(each) for each in bookings], "readings": _readings(person, bookings)}


def _readings(person: Person, bookings: Sequence[Booking]) -> list[dict[str, Any]]:
    """When staff opened the customer's record or a booking. Who it was is data of somebody else."""
    customers = Customer.objects.filter(pk__in=person.customer_ids).values_list("reference", flat=True)
    references = [*customers, *(each.reference for each in bookings)]
    read = AccessLog.objects.filter(reference__in=references).exclude(act=Reading.REFUSED).order_by("at", "pk")
    return [
        {"at": iso(each.at), "what": str(each.act), "record": str(each.record), "reference": each.reference}
        for each in read
    ]


def _booking(booking: Booking) -> dict[str, Any]:
    note = getattr(booking, "session_note", None)
    return {
        "about": booking_ref(booking.pk),
        "reference": booking.reference,
        "status": str(booking.status),
        "place": booking.location.name,
        "starts_at": iso(booking.starts_at),
        "ends_at": iso(booking.ends_at),
        "time_zone": booking.location.time_zone,
        "services": [
            {
                "name": line.service_name,
                "variant": line.variant_name,
                "with": line.staff_member.short_name if line.staff_member else "",
                "extras": [each["name"] for each in line.add_ons],
            }
            for line in booking.lines.all()
        ],
        "people": booking.party_size,
        "total": str(major(booking.total_minor, booking.currency)),
        "currency": booking.currency,
        "booked_by": str(booking.channel),
        "booked_at": iso(booking.created_at),
        "contact": {
            "name": booking.contact_name,
            "email": booking.contact_email,
            "phone": booking.contact_phone,
            "time_zone_of_browser": booking.visitor_zone,
        },
        "note": booking.customer_note,
        "address_of_visit": booking.visit_address,
        "meeting_url": booking.meeting_url,
        "history": [_event(each) for each in booking.events.all()],
        "session_note": {"text": note.text, "written_at": iso(note.updated_at)} if note and note.text else None,
        "tasks": [
            {"text": each.text, "written_at": iso(each.created_at), "done_at": iso(each.done_at)}
            for each in booking.follow_ups.all()
        ],
        "conversation": [
            {"from": "customer" if each.is_from_customer else "staff", "at": iso(each.created_at), "text": each.text}
            for each in booking.help_messages.all()
        ],
    }


def _event(event: BookingEvent) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "kind": str(event.kind),
        "status": str(event.to_status),
        "by": str(event.actor_kind),
        "through": str(event.channel),
        "reason": event.reason,
    }
