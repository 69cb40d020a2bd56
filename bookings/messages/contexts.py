"""Builds the variables of mails about a booking. Decides which words and amounts go in, never whether to send."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from accounts.contact.given_names import first_name
from accounts.contact.mailboxes import normalised_email
from bookings import booked
from bookings.calendars import ical
from bookings.calendars.entries import customer_entry, staff_entry
from bookings.enums import ActorKind, BookingStatus, EventKind
from bookings.links import LinkRole, manage_url
from bookings.messages.variables import CARD, labels, words_of
from bookings.models import Booking
from bookings.queries.payables import payable
from bookings.refs import subject_ref
from bookings.rules.settlement import Settlement
from bookings.wording import appointment
from bookings.wording.payments import card_words, checked_sentence, only_card, refund_sentence, settlement_sentence
from bookings.wording.policies import plain_policy_sentence, policy_facts, policy_sentence
from bookings.wording.zones import zone_named, zone_note
from core.references import spoken
from core.zones import city
from notifications.requests import CalendarPart, MessageContext
from payments.enums import PaymentStatus
from payments.queries import balance, payments_of, saved_card
from services.brand import brand_tokens
from services.models import Business
from staff.models import StaffMember

# Kinds of messages that also change the calendar entry.
_CALENDAR_KINDS = frozenset({"confirmed", "moved", "reassigned", "length", "cancelled", "released"})
_CUSTOMER_PAGES = ("move", "cancel", "coming", "messages")


def customer_context(
    booking: Booking, business: Business, *, kind: str, details: Mapping[str, Any], now: datetime
) -> MessageContext:
    is_off = kind == "cancelled"
    steps = appointment.steps(booking)
    entry = customer_entry(booking, business)
    attendee = ical.Mailbox(booking.contact_name, booking.contact_email)
    money = _settled(booking, now) if is_off else _paid(booking)
    variables = {
        **common(booking, business, details),
        "first_name": first_name(booking.contact_name),
        "steps": steps,
        "who": steps[0].who if len(steps) == 1 else "",
        **when(booking, (entry.starts_at, entry.ends_at)),
        "zone": _both_clocks(booking, entry.starts_at),
        "preparations": [] if is_off else appointment.preparations(booking),
        **({} if is_off else _policy(booking, now, paid_minor=money["paid_minor"])),
        "manage_url": manage_url(booking, LinkRole.CUSTOMER),
        **{f"{page}_url": manage_url(booking, LinkRole.CUSTOMER, page=page) for page in _CUSTOMER_PAGES},
        "is_cancelled_by_customer": booking.cancelled_by == ActorKind.CUSTOMER,
        "fee_minor": booking.cancellation_fee_minor or 0,
        "is_off": is_off,
        **money,
        "book_again_url": book_again_url(booking),
        "review_url": business.review_url,
    }
    invite = _invite(kind, entry, attendee, is_off=is_off, now=now)
    return _context(business, f"{kind}_customer", variables, invite)


def staff_context(
    booking: Booking,
    business: Business,
    person: StaffMember,
    *,
    kind: str,
    details: Mapping[str, Any],
    now: datetime,
) -> MessageContext:
    """Build a mail to a staff member: their own part of the visit, and only the first name of the customer."""
    is_off = kind in {"cancelled", "released"}
    moved_from = details.get("previous_starts_at") if kind == "released" else None
    entry = staff_entry(
        booking,
        business,
        person,
        is_lost=is_off,
        previous_starts_at=datetime.fromisoformat(moved_from) if moved_from else None,
    )
    has_left = kind == "released" and any(line.staff_member_id == person.pk for line in booking.lines.all())
    if has_left:
        # The booking itself has not changed, but a calendar removes an entry only if the sequence number is higher.
        entry = replace(entry, sequence=entry.sequence + 1)
    variables = {
        # A staff member who lost a booking knows it by its old time, and must not see the new one.
        **common(booking, business, {} if kind == "released" else details),
        "first_name": person.short_name,
        "customer": first_name(booking.contact_name),
        "who": first_name(booking.contact_name),
        "steps": appointment.steps(booking, staff_member_id=person.pk) or appointment.steps(booking),
        **when(booking, (entry.starts_at, entry.ends_at)),
        "place": appointment.place(booking, business, for_staff=True),
        "channel": booking.get_channel_display(),
        "is_off": is_off,
        "has_left": has_left,
        "is_cancelled_by_customer": booking.cancelled_by == ActorKind.CUSTOMER,
    }
    if not is_off:
        # A link ends with its booking, and a staff member who no longer has the booking must not get one.
        variables["manage_url"] = manage_url(booking, LinkRole.STAFF)
        variables["move_url"] = manage_url(booking, LinkRole.STAFF, page="move")
        variables["cancel_url"] = manage_url(booking, LinkRole.STAFF, page="cancel")
    attendee = ical.Mailbox(person.name, person.email)
    invite = _invite(kind, entry, attendee, is_off=is_off, now=now)
    return _context(business, f"{kind}_staff", variables, invite)


def _invite(
    kind: str, entry: ical.Entry, attendee: ical.Mailbox, *, is_off: bool, now: datetime
) -> CalendarPart | None:
    if kind not in _CALENDAR_KINDS:
        return None
    entry = ical.organised_for(entry, attendee)
    if is_off:
        method = ical.Method.CANCEL
    elif normalised_email(entry.organizer.email) == normalised_email(attendee.email):
        method = ical.Method.PUBLISH
    else:
        method = ical.Method.REQUEST
    invited = None if method is ical.Method.PUBLISH else attendee
    return CalendarPart(method=method, content=ical.invite(entry, method, attendee=invited, now=now))


def _context(
    business: Business, template: str, variables: Mapping[str, Any], invite: CalendarPart | None
) -> MessageContext:
    return MessageContext(
        template=template,
        variables={**variables, "labels": labels(), "card": CARD},
        words=words_of(variables),
        link=str(variables.get("manage_url", "")),
        sender_name=business.text("name"),
        reply_to=business.email,
        calendar=invite,
    )


def common(booking: Booking, business: Business, details: Mapping[str, Any]) -> dict[str, Any]:
    previous = details.get("previous_starts_at")
    previous_zone = ZoneInfo(details.get("previous_zone", booking.location.time_zone))
    if previous and "previous_zone" not in details and datetime.fromisoformat(previous) == booking.starts_at:
        previous = None
    return {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "place": appointment.place(booking, business),
        "party": appointment.party_words(booking),
        "is_met": appointment.is_met(booking),
        "reference": spoken(booking.reference),
        "currency": booking.currency,
        "total_minor": booking.total_minor,
        "tax_minor": booking.tax_minor,
        "previous": datetime.fromisoformat(previous).astimezone(previous_zone) if previous else None,
        "previous_zone": city(previous_zone) if "previous_zone" in details else "",
    }


def when(booking: Booking, span: tuple[datetime, datetime]) -> dict[str, Any]:
    starts_at, ends_at = (booked.local(moment, booking) for moment in span)
    return {
        "starts_at": starts_at,
        "until": appointment.until_words(starts_at, ends_at),
        "zone": appointment.zone_words(booking),
    }


def _both_clocks(booking: Booking, starts_at: datetime) -> str:
    """Return the zone in words, such as "Lisbon time".

    For a customer who booked from another zone, adds what their own clock shows then.
    """
    zone = booked.zone_of(booking)
    return zone_note(starts_at, zone, zone_named(booking.visitor_zone)) or appointment.zone_words(booking)


def _paid(booking: Booking) -> dict[str, Any]:
    """Return what is owed in total, what was paid of it, and what is still open, in minor units."""
    if booking.bill_id is None:
        return {"owed_minor": booking.total_minor, "paid_minor": 0, "open_minor": booking.total_minor}
    sums = balance(subject_ref(booking))
    return {"owed_minor": sums.owed_minor, "paid_minor": sums.net_paid_minor, "open_minor": sums.open_minor}


def _settled(booking: Booking, now: datetime) -> dict[str, Any]:
    """Return what the cancellation did to the money, as decided then, and how to pay the balance due.

    ``money_words``, and ``short_money_words`` for text messages, are empty where no money moved.
    """
    due = payable(booking, now)
    way = {"open_minor": due.amount_minor, "pay_url": manage_url(booking, LinkRole.CUSTOMER, page="pay")} if due else {}
    event = booking.events.filter(kind=EventKind.STATUS, to_status=BookingStatus.CANCELLED).last()
    details = event.details if event else {}
    kept, refund, charge, left = (
        int(details.get(name, 0)) for name in ("kept_minor", "refund_minor", "charge_minor", "open_minor")
    )
    if not (kept or refund or charge):
        return {"money_words": "", "short_money_words": "", **way}
    language = get_language() or booking.language
    card = saved_card(subject_ref(booking))
    back = _back_words(booking, refund, details, language)
    rest, short = (
        settlement_sentence(
            settled,
            currency=booking.currency,
            language=language,
            card=card_words(card.brand, card.last4) if card else "",
        )
        for settled in (Settlement(kept, 0, charge, left), Settlement(kept, refund, charge, left))
    )
    words = f"{back} {rest}".strip() if kept or charge or left else back
    return {"money_words": words, "short_money_words": words if details.get("waits_minor") else short, **way}


def _back_words(booking: Booking, refund_minor: int, details: Mapping[str, Any], language: str) -> str:
    """Return how much is refunded and how, and which part the business reviews first, until when."""
    waits = int(details.get("waits_minor", 0))
    paid = [each for each in payments_of(subject_ref(booking)) if each.status == PaymentStatus.SUCCEEDED]
    brand, last4 = only_card((each.card_brand, each.card_last4) for each in paid)
    back = refund_sentence(
        refund_minor - waits,
        currency=booking.currency,
        language=language,
        card_brand=brand,
        card_last4=last4,
    )
    if not waits:
        return back
    until = datetime.fromisoformat(details["answer_by"])
    zone = booked.zone_of(booking)
    checked = checked_sentence(waits, until=until, zone=zone, currency=booking.currency, language=language)
    return f"{checked} {back}".strip()


def _policy(booking: Booking, now: datetime, *, paid_minor: int) -> dict[str, str]:
    facts = policy_facts(booking, paid_minor=paid_minor, now=now)
    return {"policy": plain_policy_sentence(facts), "policy_html": policy_sentence(facts)}


def book_again_url(booking: Booking) -> str:
    line = next(iter(booking.lines.all()), None)
    return f"{settings.SITE_URL}/s/{line.variant.service.slug}/" if line else settings.SITE_URL


def brand_colours(colour: str) -> dict[str, dict[str, str]]:
    """Return the brand's colours by name, for light and dark: ``brand.light.text``."""
    tokens = brand_tokens(colour)
    return {
        mode: {name.removeprefix("--").replace("-", "_"): value for name, value in values.items()}
        for mode, values in (("light", tokens.light), ("dark", tokens.dark))
    }
