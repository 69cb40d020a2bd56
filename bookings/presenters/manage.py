"""The pages behind a magic link: what stands, what moving and cancelling cost at this moment, and what happened so
far.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from bookings import appointment, policies, policy_texts
from bookings.appointment import local
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind
from bookings.models import Booking, BookingEvent
from bookings.policies import RescheduleRefusal, Terms
from bookings.presenters import visit
from bookings.presenters.frame import phone_href
from bookings.presenters.visit import MoneyLine
from bookings.presenters.zones import visitor_time
from core import formats
from payments.models import BillLine
from services.models import Business

# The bar is a drawing, not a scale: a deadline minutes before the start has to be seen as well.
_DEADLINE_PERCENT = 48
_OVER = frozenset({BookingStatus.STARTED, BookingStatus.COMPLETED, BookingStatus.NO_SHOW})
_CALLED_OFF = frozenset({BookingStatus.CANCELLED, BookingStatus.DECLINED})


@dataclass(frozen=True, slots=True)
class HistoryRow:
    at: str
    text: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class CancelBlock:
    """Inputs of components/cancel_bar.html, and the words around it."""

    fee_minor: int
    fee: str
    sentence: SafeString
    button: str
    free_percent: int
    here_percent: int
    now_label: str
    now_sum: str
    later_label: str = ""
    later_sum: str = ""


@dataclass(frozen=True, slots=True)
class MoveBlock:
    """``refusal`` is a sentence where the booking cannot be moved here any more; else ``sentence`` says until when."""

    fee_minor: int
    fee: str
    sentence: SafeString
    warning: SafeString
    refusal: str = ""


def status_card(
    booking: Booking, business: Business, *, now: datetime, visitor_zone: ZoneInfo | None
) -> dict[str, Any]:
    """When, what, who and where, for the card at the top."""
    there = visitor_time(booking.starts_at, appointment.zone(booking), visitor_zone)
    # Nobody has said yet how it went; "confirmed" would read as if it were still to come.
    is_past = booking.status == BookingStatus.CONFIRMED and now >= booking.ends_at
    ahead = "" if booking.status in _CALLED_OFF else visit.ahead_text(booking, now)
    more = [visit.until_text(booking), ahead, appointment.zone_words(booking), there]
    return {
        "status": BookingStatus.COMPLETED if is_past else booking.status,
        "label": gettext("Past") if is_past else "",
        "is_arrived": booking.arrived_at is not None,
        "reference": booking.reference,
        "when": visit.when_text(booking),
        "more": " · ".join(filter(None, more)),
        "what": visit.what_text(booking),
        "extras": visit.extras_text(booking),
        "who_where": " · ".join([*visit.staff_names(booking), visit.where_text(booking, business)]),
        "place": visit.place_fact(booking, business),
        "facts": visit.facts(booking, business),
    }


def ledger(booking: Booking, bill_lines: Sequence[BillLine]) -> list[MoneyLine]:
    """What is owed: the price with its tax, what was added or taken back since, and the rest that is due at the
    visit.
    """
    if booking.status in _CALLED_OFF:
        fee = booking.cancellation_fee_minor or 0
        return [MoneyLine(gettext("Cancellation fee, open"), visit.money(fee, booking))] if fee else []
    tax = visit.money(booking.tax_minor, booking)
    label = gettext("Total, with %(tax)s tax") % {"tax": tax} if booking.tax_minor else gettext("Total")
    lines = [MoneyLine(label, visit.money(booking.total_minor, booking))]
    fees = [line for line in bill_lines if line.kind == BillLine.Kind.CHANGE_FEE]
    lines += [MoneyLine(line.text, visit.money(line.gross_minor, booking)) for line in fees]
    rest = booking.total_minor + sum(line.gross_minor for line in fees)
    return [*lines, MoneyLine(gettext("To pay at the visit"), visit.money(rest, booking), "total")]


def policy(booking: Booking, now: datetime) -> SafeString:
    """The rule of cancelling as it stands at ``now``."""
    return policy_texts.policy_sentence(_terms(booking), **_facts(booking, now))


def move_block(booking: Booking, *, now: datetime, by_staff: bool) -> MoveBlock:
    """Whether, until when and at what price the booking can be moved."""
    terms = _terms(booking)
    fee = policies.move_fee(terms, move_count=booking.customer_move_count, by_staff=by_staff)
    refusal = policies.reschedule_refusal(
        terms,
        status=booking.status,
        starts_at=booking.starts_at,
        move_count=booking.customer_move_count,
        now=now,
        by_staff=by_staff,
        confirmed_at=booking.confirmed_at,
    )
    empty = SafeString("")
    shows_terms = not by_staff and refusal is None
    facts = _facts(booking, now)
    moves = booking.customer_move_count
    return MoveBlock(
        fee_minor=fee,
        fee=visit.money(fee, booking) if fee else gettext("Nothing"),
        sentence=policy_texts.move_sentence(terms, move_count=moves, **facts) if shows_terms else empty,
        warning=policy_texts.late_move_sentence(terms, **facts) if shows_terms else empty,
        refusal=_move_refusal(booking, refusal) if refusal else "",
    )


def may_cancel(booking: Booking, *, now: datetime, by_staff: bool) -> bool:
    refusal = policies.cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=now, by_staff=by_staff)
    return refusal is None


def cancel_fee(booking: Booking, *, now: datetime, by_staff: bool) -> int:
    """What cancelling costs the customer at ``now``; nothing when the business cancels, or before anything was
    agreed.
    """
    if by_staff or booking.status != BookingStatus.CONFIRMED:
        return 0
    return policies.cancellation_fee(
        _terms(booking),
        starts_at=booking.starts_at,
        confirmed_at=booking.confirmed_at,
        now=now,
        total_minor=booking.total_minor,
        anchor_minor=booking.fee_anchor_minor,
    )


def cancel_block(booking: Booking, *, now: datetime) -> CancelBlock:
    """Both sums of cancelling: now, and after the next deadline."""
    said = policy_texts.cancel_now(_terms(booking), **_facts(booking, now))
    fee = cancel_fee(booking, now=now, by_staff=False)
    words = visit.money(fee, booking)
    changes = said.changes_after if said.next_fee_minor is not None else None
    deadline = formats.moment_text(local(changes, booking)) if changes else ""
    return CancelBlock(
        fee_minor=fee,
        fee=words if fee else gettext("Nothing"),
        sentence=said.sentence,
        button=gettext("Cancel for %(fee)s") % {"fee": words} if fee else gettext("Cancel free of charge"),
        free_percent=_free_percent(fee, changes),
        here_percent=_here_percent(booking, now, fee, changes),
        now_label=gettext("Cancel now"),
        now_sum=_fee_words(fee, booking),
        later_label=gettext("After %(moment)s") % {"moment": deadline} if deadline else "",
        later_sum=_fee_words(said.next_fee_minor or 0, booking) if changes else "",
    )


def outcome(booking: Booking, business: Business, *, now: datetime) -> str:
    """One sentence about a booking that is over or called off; empty while it stands."""
    names = {"name": business.text("name")}
    if booking.status == BookingStatus.CANCELLED:
        first = gettext("%(name)s cancelled this appointment.")
        if booking.cancelled_by == ActorKind.CUSTOMER:
            first = gettext("You cancelled this appointment.")
        if booking.cancellation_fee_minor:
            fee = visit.money(booking.cancellation_fee_minor, booking)
            return f"{first % names} {gettext('A fee of %(fee)s is open.') % {'fee': fee}}"
        return f"{first % names} {gettext('There is nothing to pay.')}"
    if booking.status == BookingStatus.DECLINED:
        return gettext("%(name)s could not take this appointment. There is nothing to pay.") % names
    if booking.status == BookingStatus.NO_SHOW:
        return gettext("You were missed at this appointment. If that is wrong, please contact us.")
    if booking.status == BookingStatus.COMPLETED or now >= booking.ends_at:
        return gettext("This visit is over. Thank you for coming.")
    return gettext("Your visit has begun.") if now >= booking.starts_at else ""


def history(booking: Booking, business: Business) -> list[HistoryRow]:
    """What happened, newest first; steps on the way to the booking are left out."""
    rows = []
    for event in booking.events.all():
        if text := _event_text(event, booking, business):
            at = formats.moment_text(local(event.at, booking))
            rows.append(HistoryRow(at, text, _channel_text(event.channel)))
    return rows[::-1]


def contact_rows(booking: Booking, business: Business) -> list[dict[str, str]]:
    """Ways to reach the business, for components/row.html."""
    rows = []
    if phone := booking.location.phone or business.phone:
        label = gettext("Call %(name)s") % {"name": business.text("name")}
        rows.append({"href": phone_href(phone), "icon_name": "phone", "label": label, "note": phone})
    if business.email:
        label = gettext("Write to us")
        rows.append({"href": f"mailto:{business.email}", "icon_name": "mail", "label": label, "note": business.email})
    return rows


def is_over(booking: Booking, now: datetime) -> bool:
    """Whether the page only reads: called off, or begun."""
    return booking.status in _CALLED_OFF | _OVER or now >= booking.starts_at


def _facts(booking: Booking, now: datetime) -> policy_texts.BookingFacts:
    return {
        "starts_at": booking.starts_at,
        "zone": appointment.zone(booking),
        "language": get_language() or booking.language,
        "currency": booking.currency,
        "total_minor": booking.total_minor,
        "confirmed_at": booking.confirmed_at,
        "now": now,
        "anchor_minor": booking.fee_anchor_minor,
    }


def _terms(booking: Booking) -> Terms:
    return Terms.from_json(booking.terms)


def _fee_words(fee_minor: int, booking: Booking) -> str:
    return gettext("%(fee)s fee") % {"fee": visit.money(fee_minor, booking)} if fee_minor else gettext("Free")


def _free_percent(fee_minor: int, changes: datetime | None) -> int:
    if changes:
        return _DEADLINE_PERCENT
    return 0 if fee_minor else 100


def _here_percent(booking: Booking, now: datetime, fee_minor: int, changes: datetime | None) -> int:
    """Where the ring is: its share of the way from booking to the deadline, or from there to the start."""
    begins = booking.confirmed_at or booking.created_at
    low, high = (2, _DEADLINE_PERCENT - 4) if changes else (_DEADLINE_PERCENT if fee_minor else 2, 96)
    whole = ((changes or booking.starts_at) - begins).total_seconds()
    share = min(1.0, max(0.0, (now - begins).total_seconds() / whole)) if whole > 0 else 1.0
    return round(low + (high - low) * share)


def _move_refusal(booking: Booking, refusal: RescheduleRefusal) -> str:
    if refusal is RescheduleRefusal.TOO_LATE:
        until = policies.reschedule_until(_terms(booking), booking.starts_at, confirmed_at=booking.confirmed_at)
        if until is None:
            return gettext("This appointment cannot be moved online. Please contact us.")
        return gettext("It could be moved online until %(moment)s. Please contact us.") % {
            "moment": formats.moment_text(local(until, booking))
        }
    if refusal is RescheduleRefusal.MOVE_LIMIT_REACHED:
        return gettext("It was moved as often as that is possible online. Please contact us.")
    return gettext("This appointment cannot be moved any more.")


def _event_text(event: BookingEvent, booking: Booking, business: Business) -> str:
    by_customer = event.actor_kind == ActorKind.CUSTOMER
    names = {"name": business.text("name")}
    if event.kind == EventKind.MOVED:
        return _moved_text(event, booking, by_customer, names)
    if event.kind == EventKind.COMING:
        return gettext("You said that you are coming")
    if event.kind != EventKind.STATUS:
        return ""
    match event.to_status:
        case BookingStatus.CONFIRMED if event.from_status in {BookingStatus.HELD, BookingStatus.REQUESTED}:
            return gettext("You booked") if by_customer else gettext("%(name)s booked it for you") % names
        case BookingStatus.CANCELLED:
            text = gettext("You cancelled") if by_customer else gettext("%(name)s cancelled") % names
            return f"{text}: {event.reason}" if event.reason else text
        case BookingStatus.STARTED:
            return gettext("The visit began")
        case BookingStatus.COMPLETED:
            return gettext("The visit ended")
        case BookingStatus.NO_SHOW:
            return gettext("You were missed")
        case _:
            return ""


def _channel_text(channel: str) -> str:
    match channel:
        case BookingChannel.WEB | BookingChannel.WIDGET:
            return gettext("on this website")
        case BookingChannel.LINK:
            return gettext("by the link in a message")
        case BookingChannel.DESK:
            return gettext("at the front desk")
        case BookingChannel.SYSTEM:
            return ""
        case _:
            return str(BookingChannel(channel).label)


def _moved_text(event: BookingEvent, booking: Booking, by_customer: bool, names: dict[str, str]) -> str:
    before, after = (_moment(event.details, side, booking) for side in ("from", "to"))
    if before == after:
        return gettext("Somebody else will see you now")
    who = (
        gettext("You moved it from %(before)s to %(after)s")
        if by_customer
        else gettext("%(name)s moved it from %(before)s to %(after)s")
    )
    text = who % {**names, "before": before, "after": after}
    return f"{text}: {event.reason}" if event.reason else text


def _moment(details: dict[str, Any], side: str, booking: Booking) -> str:
    return formats.moment_text(local(datetime.fromisoformat(details[side]["starts_at"]), booking))


def next_times(starts: Iterable[int], booking: Booking, *, now: datetime, count: int = 3) -> list[tuple[str, str, str]]:
    """Pick the times to offer first for a move: one a day, on the days after the booked one, nearest to its clock time.

    Each is (value of the field "slot", day, time).
    """
    zone = appointment.zone(booking)
    booked = local(booking.starts_at, booking)
    best: dict[date, datetime] = {}
    for minute in starts:
        at = datetime.fromtimestamp(minute * 60, tz=zone)
        if at.date() not in best or _clock_distance(at, booked) < _clock_distance(best[at.date()], booked):
            best[at.date()] = at
    days = sorted(best, key=lambda day: (day <= booked.date(), abs((day - booked.date()).days)))
    today = now.astimezone(zone).date()
    return [
        (
            f"{booking.location_id}.{int(best[day].timestamp()) // 60}",
            formats.near_day_text(day, today),
            formats.time_text(best[day]),
        )
        for day in sorted(days[:count])
    ]


def _clock_distance(one: datetime, other: datetime) -> int:
    return abs(one.hour * 60 + one.minute - other.hour * 60 - other.minute)
