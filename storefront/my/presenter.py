"""The page of a signed-in customer's bookings as text."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext

from bookings.booked import day_of, local
from bookings.enums import CALLED_OFF, ActorKind, BookingStatus
from bookings.models import Booking
from bookings.rules.rebooking import nearest_starts, usual_start, wall_minute
from bookings.wording import appointment, visit
from bookings.wording.payments import card_words
from bookings.wording.zones import visitor_time
from core import formats
from core.minutes import minute_of
from payments.models import SavedCard
from payments.queries import Balance
from services.models import Business
from storefront.my.queries import PAST_AT_FIRST, Again, Mine

_NEAR_WITH_USUAL, _NEAR_ALONE = 2, 3


@dataclass(frozen=True, slots=True)
class ComingRow:
    url: str
    when: str
    note: str
    status: str
    label: str


@dataclass(frozen=True, slots=True)
class PastRow:
    """A past visit. ``sum`` is what it cost; ``note`` says what became of it, where it did not take place."""

    url: str
    when: str
    what: str
    note: str
    sum: str
    receipt_url: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class TimeOffer:
    """A free time. ``slot`` is the value that its button sends; ``zone`` is the visitor's clock, if it differs."""

    slot: str
    day: str
    time: str
    zone: str


@dataclass(frozen=True, slots=True)
class AgainCard:
    """A service to book again. The form sends ``variant_id`` and ``staff_id`` to ``hold_url``."""

    what: str
    note: str
    name: str
    tone: int
    price: str
    hold_url: str
    all_url: str
    query: str
    variant_id: int
    staff_id: int | None
    usual: TimeOffer | None
    usual_label: str
    times: list[TimeOffer]


@dataclass(frozen=True, slots=True)
class Page:
    coming: list[ComingRow]
    again: list[AgainCard]
    past: list[PastRow]
    past_count: int
    all_label: str
    cards: list[tuple[str, str]] = field(default_factory=list)


def page_of(
    mine: Mine,
    again: list[Again],
    business: Business,
    *,
    now: datetime,
    visitor_zone: ZoneInfo | None,
    shows_all: bool,
) -> Page:
    """Return everything but the next visit. ``shows_all``: not only the latest past visits."""
    past = mine.past if shows_all else mine.past[:PAST_AT_FIRST]
    count = len(mine.past)
    all_label = ngettext("All %(count)d visit", "All %(count)d visits", count) % {"count": count}
    bookings = {f"booking:{each.pk}": each for each in [*mine.ahead, *mine.past]}
    return Page(
        coming=[_coming(each, now, visitor_zone) for each in mine.ahead[1:]],
        again=[_again(each, business, now, visitor_zone) for each in again],
        past=[_past(each, mine.balances[each.pk], mine.receipts.get(each.pk, "")) for each in past],
        past_count=count,
        all_label="" if len(past) == count else all_label,
        cards=[_card(each, bookings[each.subject_ref]) for each in mine.cards],
    )


def _coming(booking: Booking, now: datetime, visitor_zone: ZoneInfo | None) -> ComingRow:
    there = visitor_time(booking.starts_at, ZoneInfo(booking.location.time_zone), visitor_zone)
    who = visit.staff_short_name(booking)
    note = " · ".join(filter(None, (visit.what_text(booking), who, visit.ahead_text(booking, now), there)))
    labels = {
        BookingStatus.REQUESTED: gettext("Waiting for an answer"),
        BookingStatus.PENDING_PAYMENT: gettext("Waiting for payment"),
    }
    label = labels.get(BookingStatus(booking.status), "")
    return ComingRow(reverse("manage", args=[booking.reference]), visit.when_text(booking), note, booking.status, label)


def _past(booking: Booking, balance: Balance, receipt: str) -> PastRow:
    who = visit.staff_short_name(booking)
    return PastRow(
        url=reverse("manage", args=[booking.reference]),
        when=_past_when(booking),
        what=" · ".join(filter(None, (visit.what_text(booking), who))),
        note=_past_note(booking, balance),
        sum=visit.money(balance.owed_minor, booking),
        receipt_url=reverse("receipt", args=[booking.reference, receipt]) if receipt else "",
        is_open=balance.open_minor > 0,
    )


def _past_when(booking: Booking) -> str:
    """Return the start with the year, because the list may go back for years."""
    starts = local(booking.starts_at, booking)
    return f"{formats.full_day_text(starts.date())}, {formats.time_text(starts)}"


def _past_note(booking: Booking, balance: Balance) -> str:
    words = []
    if booking.status == BookingStatus.CANCELLED:
        is_own = booking.cancelled_by == ActorKind.CUSTOMER
        words.append(gettext("Cancelled by you") if is_own else gettext("Cancelled by us"))
    elif booking.status == BookingStatus.DECLINED:
        words.append(gettext("Declined"))
    elif booking.status == BookingStatus.NO_SHOW:
        words.append(gettext("Missed"))
    elif booking.status not in CALLED_OFF and not balance.open_minor:
        return ""
    elif booking.status == BookingStatus.EXPIRED:
        words.append(gettext("Not booked: the time ran out"))
    if balance.open_minor:
        words.append(gettext("%(sum)s left to pay") % {"sum": visit.money(balance.open_minor, booking)})
    elif not balance.owed_minor:
        words.append(gettext("nothing due"))
    return ", ".join(words)


def _card(card: SavedCard, booking: Booking) -> tuple[str, str]:
    """Return the card, and for what and until when it is kept."""
    label = card_words(card.brand, card.last4) or gettext("Your card")
    note = gettext("Kept by Stripe, not by us, for your visit on %(day)s; %(cap)s at most.")
    return label, note % {"day": formats.full_day_text(day_of(booking)), "cap": visit.money(card.cap_minor, booking)}


# --- book again -------------------------------------------------------------------------------------------------------


def _again(again: Again, business: Business, now: datetime, visitor_zone: ZoneInfo | None) -> AgainCard:
    line, last = again.line, again.last
    person = line.staff_member if again.staff_member_id else None
    usual = usual_start(again.habit, day_of(last), again.starts) if again.habit else None
    near = nearest_starts(
        again.starts,
        wall=wall_minute(local(last.starts_at, last)),
        count=_NEAR_WITH_USUAL if usual else _NEAR_ALONE,
        besides=usual,
    )
    service = line.variant.service
    chosen = {"variant": str(line.variant_id), "at": last.location.slug}
    if person:
        chosen["with"] = person.slug
    query = f"?{urlencode(chosen)}"
    return AgainCard(
        what=appointment.what(line),
        note=_again_note(again, now),
        name=person.name if person else "",
        tone=person.pk if person else 0,
        price=formats.money_text(again.price_minor, business.currency, short=True),
        hold_url=reverse("hold", args=[service.slug]),
        all_url=reverse("picker", args=[service.slug]) + query,
        query=query,
        variant_id=line.variant_id,
        staff_id=again.staff_member_id,
        usual=_time(usual, last, visitor_zone) if usual else None,
        usual_label=gettext("Book %(when)s") % {"when": formats.moment_text(usual)} if usual else "",
        times=[_time(each, last, visitor_zone) for each in near],
    )


def _again_note(again: Again, now: datetime) -> str:
    last = again.last
    who = again.line.staff_member.text("short_name") if again.staff_member_id and again.line.staff_member else ""
    if again.habit:
        rhythm = ngettext("you come about every week", "you come about every %(count)d weeks", again.habit.weeks)
        words = rhythm % {"count": again.habit.weeks}
    elif last.ends_at > now:
        words = gettext("next on %(day)s") % {"day": formats.day_text(day_of(last))}
    else:
        words = gettext("last on %(day)s") % {"day": formats.day_text(day_of(last))}
    return " · ".join(filter(None, (who, last.location.text("name"), words)))


def _time(start: datetime, last: Booking, visitor_zone: ZoneInfo | None) -> TimeOffer:
    return TimeOffer(
        slot=f"{last.location_id}.{minute_of(start)}",
        day=formats.day_text(start.date()),
        time=formats.time_text(start),
        zone=visitor_time(start, ZoneInfo(last.location.time_zone), visitor_zone),
    )
