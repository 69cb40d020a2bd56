"""The pages behind a magic link as text: the booking, what moving and cancelling cost now, and the history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.contact.mailboxes import mailto_url
from bookings.booked import fee_facts, has_several_services, local, zone_of
from bookings.enums import CALLED_OFF, EXPIRING, MARKED, ActorKind, BookingStatus
from bookings.errors import SeveralServices
from bookings.models import Booking
from bookings.queries.money import BookingMoney
from bookings.rules import cancelling, moving
from bookings.rules.fees import is_fee_free
from bookings.rules.moving import RescheduleRefusal
from bookings.rules.settlement import CancelQuote
from bookings.wording import appointment, visit
from bookings.wording import policies as policy_texts
from bookings.wording.policies import policy_facts
from bookings.wording.visit import MoneyLine
from bookings.wording.zones import shown_moment, shown_time, visitor_time
from core import formats
from core.formats import phone_href
from core.minutes import minute_of
from services.models import Business
from storefront.presenters import money as money_presenter
from storefront.presenters import outcome as outcomes

# The bar is not to scale, so that a deadline minutes before the start is visible too.
_DEADLINE_PERCENT = 48


@dataclass(frozen=True, slots=True)
class CancelBlock:
    """Context of components/cancel_bar.html, and the texts around it."""

    fee_minor: int
    sentence: SafeString
    button: str
    button_again: str
    lines: tuple[MoneyLine, ...]
    free_percent: int
    here_percent: int
    now_label: str
    now_sum: str
    later_label: str = ""
    later_sum: str = ""


@dataclass(frozen=True, slots=True)
class MoveBlock:
    """``refusal`` is a sentence when the customer cannot move the booking here; else ``sentence`` says until when."""

    fee_minor: int
    fee: str
    sentence: SafeString
    warning: SafeString
    refusal: str = ""


def status_card(
    booking: Booking, business: Business, *, now: datetime, visitor_zone: ZoneInfo | None, for_staff: bool
) -> dict[str, Any]:
    """Return time, service, staff and place for the card at the top."""
    where = visit.where_text(booking, business, for_staff=for_staff)
    there = visitor_time(booking.starts_at, zone_of(booking), visitor_zone)
    # Staff have not marked the visit yet. "Confirmed" would read as if it were still to come.
    is_past = booking.status == BookingStatus.CONFIRMED and now >= booking.ends_at
    ahead = "" if booking.status in CALLED_OFF else visit.ahead_text(booking, now)
    more = [visit.until_text(booking), ahead, appointment.zone_words(booking), there]
    return {
        "status": BookingStatus.COMPLETED if is_past else booking.status,
        "label": _status_label(booking, is_past=is_past),
        "is_arrived": booking.arrived_at is not None,
        "reference": booking.reference,
        "when": visit.when_text(booking),
        "more": " · ".join(filter(None, more)),
        "what": visit.what_text(booking),
        "extras": visit.extras_text(booking),
        "who_where": " · ".join([*visit.staff_names(booking), where]),
        "place": visit.place_fact(booking, business),
        "facts": visit.facts(booking, business),
    }


def _status_label(booking: Booking, *, is_past: bool) -> str:
    """Return a label for customers where the status name would confuse them; empty where it would not."""
    if is_past:
        return gettext("Past")
    return gettext("Waiting for an answer") if booking.status == BookingStatus.REQUESTED else ""


def policy(booking: Booking, money: BookingMoney, now: datetime, *, coming_minor: int = 0) -> SafeString:
    """Return the rules of the booking at ``now``. ``coming_minor`` is a payment about to be made, in minor units."""
    paid_minor = money.paid.net_minor + coming_minor
    return policy_texts.policy_sentence(policy_facts(booking, paid_minor=paid_minor, now=now))


def no_show_rule(booking: Booking, money: BookingMoney, now: datetime) -> SafeString:
    """Return what a no-show costs; empty where it costs nothing."""
    return policy_texts.no_show_sentence(policy_facts(booking, paid_minor=money.paid.net_minor, now=now))


def move_block(booking: Booking, *, now: datetime, by_staff: bool) -> MoveBlock:
    """Return whether, until when and at what price the booking can be moved."""
    fees, move_count = fee_facts(booking), booking.customer_move_count
    fee = moving.move_fee(fees, move_count=move_count, by_staff=by_staff)
    refusal = moving.reschedule_refusal(fees, move_count=move_count, now=now, by_staff=by_staff)
    sentence = _move_refusal(booking, refusal) if refusal else ""
    if has_several_services(booking):
        sentence = sentence or str(SeveralServices.text)
    empty = SafeString("")
    may_move, is_agreed = not by_staff and not sentence, not is_fee_free(booking.status)
    shows_terms = may_move and is_agreed
    facts = policy_facts(booking, now=now)
    before = _move_before_agreed(booking) if may_move and not is_agreed else empty
    return MoveBlock(
        fee_minor=fee,
        fee=visit.money(fee, booking) if fee else gettext("Nothing"),
        sentence=policy_texts.move_sentence(facts, move_count=move_count) if shows_terms else before,
        warning=policy_texts.late_move_sentence(facts) if shows_terms else empty,
        refusal=sentence,
    )


def may_cancel(booking: Booking, *, now: datetime, by_staff: bool) -> bool:
    refusal = cancelling.cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=now, by_staff=by_staff)
    return refusal is None


def cancel_block(booking: Booking, business: Business, money: BookingMoney, *, now: datetime) -> CancelBlock:
    """Return both sums of cancelling: now, and after the next deadline."""
    is_checked = business.refunds_need_approval
    quote = outcomes.quote(booking, money, now=now)
    deadline = formats.moment_text(local(quote.changes_after, booking)) if quote.changes_after else ""
    fee = quote.now.fee_minor
    return CancelBlock(
        fee_minor=fee,
        sentence=_cancel_sentence(booking, money, quote, now, is_checked=is_checked),
        button=outcomes.button(quote.now, booking, is_checked=is_checked),
        button_again=outcomes.button(quote.now, booking, is_checked=is_checked, again=True),
        lines=tuple(outcomes.lines(quote.now, booking, is_checked=is_checked)),
        free_percent=_free_percent(fee, quote.changes_after),
        here_percent=_here_percent(booking, now, fee, quote.changes_after),
        now_label=gettext("Cancel now"),
        now_sum=outcomes.sum_text(quote.now, booking),
        later_label=gettext("After %(moment)s") % {"moment": deadline} if deadline else "",
        later_sum=outcomes.sum_text(quote.then, booking) if quote.then else "",
    )


def _cancel_sentence(
    booking: Booking, money: BookingMoney, quote: CancelQuote, now: datetime, *, is_checked: bool
) -> SafeString:
    if is_fee_free(booking.status):
        return SafeString(escape(gettext("Nothing is agreed yet, so cancelling is free.")))
    said = policy_texts.cancel_now(policy_facts(booking, paid_minor=money.paid.net_minor, now=now))
    where = outcomes.sentence(quote.now, booking, money, is_checked=is_checked)
    return format_html("{} {}", said.sentence, where) if where else said.sentence


def outcome(booking: Booking, business: Business, money: BookingMoney, *, now: datetime) -> str:
    """Return one sentence about a booking that is over or cancelled; empty for a booking ahead."""
    names = {"name": business.text("name")}
    if booking.status == BookingStatus.CANCELLED:
        first = gettext("%(name)s cancelled this appointment.")
        if booking.cancelled_by == ActorKind.CUSTOMER:
            first = gettext("You cancelled this appointment.")
        return f"{first % names} {money_presenter.fee_sentence(booking, money)}"
    if booking.status == BookingStatus.DECLINED:
        return gettext("%(name)s could not take this appointment. There is nothing to pay.") % names
    if booking.status == BookingStatus.EXPIRED:
        return _expired_sentence(money)
    if booking.status == BookingStatus.NO_SHOW:
        missed = gettext("You were missed at this appointment. If that is wrong, please contact us.")
        return " ".join(filter(None, (missed, _no_show_sentence(booking, money, now))))
    if booking.status == BookingStatus.COMPLETED or now >= booking.ends_at:
        return gettext("This visit is over. Thank you for coming.")
    return gettext("Your visit has begun.") if now >= booking.starts_at else ""


def waiting(
    booking: Booking, money: BookingMoney, *, now: datetime, visitor_zone: ZoneInfo | None = None
) -> SafeString:
    """Return what a booking that is not confirmed yet waits for, and until when; empty for all others."""
    if booking.status not in EXPIRING or booking.hold_expires_at is None:
        return SafeString("")
    if money.is_being_checked:
        return SafeString(escape(gettext("We are checking your payment. Please do not pay again.")))
    if booking.hold_expires_at <= now:
        return SafeString(escape(gettext("The time that was kept for you has run out.")))
    text = gettext("Waiting for payment until {until}. Then the time becomes free for others.")
    if booking.status == BookingStatus.REQUESTED:
        text = gettext("We answer by {until} at the latest. The time is kept for you, and nothing is paid yet.")
    until = local(booking.hold_expires_at, booking)
    is_today = until.date() == local(now, booking).date()
    say = shown_time if is_today else shown_moment
    words = say(until, zone_of(booking), visitor_zone)
    return format_html(text, until=_strong(words))


def waiting_move(
    booking: Booking, *, moves_to: datetime, until: datetime, visitor_zone: ZoneInfo | None = None
) -> SafeString:
    """Return what a move that awaits its payment means for the old and the new time."""
    text = gettext(
        "{when} is kept for you until {until}. Your appointment moves there once the fee is paid. Until then the old"
        " time stays yours."
    )
    zone = zone_of(booking)
    when, until_text = shown_moment(moves_to, zone, visitor_zone), shown_time(until, zone, visitor_zone)
    return format_html(text, when=_strong(when), until=_strong(until_text))


def contact_rows(booking: Booking, business: Business) -> list[dict[str, str]]:
    """Return ways to contact the business, for components/row.html."""
    rows = []
    if phone := booking.location.phone or business.phone:
        label = gettext("Call %(name)s") % {"name": business.text("name")}
        rows.append({"href": phone_href(phone), "icon_name": "phone", "label": label, "note": phone})
    if business.email:
        label = gettext("Write to us")
        rows.append({"href": mailto_url(business.email), "icon_name": "mail", "label": label, "note": business.email})
    return rows


def is_over(booking: Booking, now: datetime) -> bool:
    """Return whether the page is read-only: the booking is cancelled, marked, expired, or has begun."""
    ran_out = booking.status in EXPIRING and (booking.hold_expires_at is None or booking.hold_expires_at <= now)
    return booking.status in CALLED_OFF | MARKED or ran_out or now >= booking.starts_at


def _strong(text: str) -> SafeString:
    return format_html("<strong>{}</strong>", text)


def _free_percent(fee_minor: int, changes: datetime | None) -> int:
    if changes:
        return _DEADLINE_PERCENT
    return 0 if fee_minor else 100


def _here_percent(booking: Booking, now: datetime, fee_minor: int, changes: datetime | None) -> int:
    """Return the position of "now" on the bar: its share of the way from booking to deadline, or on to the start."""
    begins = booking.confirmed_at or booking.created_at
    low, high = (2, _DEADLINE_PERCENT - 4) if changes else (_DEADLINE_PERCENT if fee_minor else 2, 96)
    whole = ((changes or booking.starts_at) - begins).total_seconds()
    share = min(1.0, max(0.0, (now - begins).total_seconds() / whole)) if whole > 0 else 1.0
    return round(low + (high - low) * share)


def _move_before_agreed(booking: Booking) -> SafeString:
    if booking.status == BookingStatus.REQUESTED:
        return SafeString(escape(gettext("Until we have answered you can choose another time. It costs nothing.")))
    return SafeString(
        escape(gettext("Until it is paid you can choose another time. It costs nothing, and your details are kept."))
    )


def _move_refusal(booking: Booking, refusal: RescheduleRefusal) -> str:
    if refusal is RescheduleRefusal.TOO_LATE:
        until = moving.reschedule_until(fee_facts(booking))
        if until is None:
            return gettext("This appointment cannot be moved online. Please contact us.")
        return gettext("It could be moved online until %(moment)s. Please contact us.") % {
            "moment": formats.moment_text(local(until, booking))
        }
    if refusal is RescheduleRefusal.MOVE_LIMIT_REACHED:
        return gettext("It was moved as often as that is possible online. Please contact us.")
    return gettext("This appointment cannot be moved any more.")


def _expired_sentence(money: BookingMoney) -> str:
    if money.payments:
        return gettext("Your payment came when the time was already gone. Nothing is booked, and all of it goes back.")
    return gettext("The time ran out before anything was agreed. Nothing is booked, and there is nothing to pay.")


def _no_show_sentence(booking: Booking, money: BookingMoney, now: datetime) -> str:
    """Say what happens to the fee: staff can waive it for a while, then the money moves."""
    if booking.fee_settles_at is None or booking.fee_settles_at <= now or not money.balance.owed_minor:
        return money_presenter.open_sentence(booking, money)
    return gettext("A fee of %(fee)s becomes due on %(when)s.") % {
        "fee": visit.money(money.balance.owed_minor, booking),
        "when": formats.moment_text(local(booking.fee_settles_at, booking)),
    }


def next_times(starts: Iterable[int], booking: Booking, *, now: datetime, count: int = 3) -> list[tuple[str, str, str]]:
    """Choose the times to offer first for a move: one for each day after the booked one, nearest to its clock time.

    Each is (value of the field "slot", day, time).
    """
    zone = zone_of(booking)
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
            f"{booking.location_id}.{minute_of(best[day])}",
            formats.near_day_text(day, today),
            formats.time_text(best[day]),
        )
        for day in sorted(days[:count])
    ]


def _clock_distance(one: datetime, other: datetime) -> int:
    return abs(one.hour * 60 + one.minute - other.hour * 60 - other.minute)
