"""The phone booking page as text: customer, service, time, payment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext, pgettext

from accounts.contact.phones import phone_text
from bookings.availability.gaps import Start
from bookings.booked import first_line, local
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.confirm import Asks
from bookings.rules.prepayment import Demand
from bookings.wording import policies, visit
from bookings.wording.overrides import broken_rules
from bookings.wording.visit import MoneyLine
from core import formats
from core.day_parts import DayPart
from core.minutes import instant, minute_of
from dashboard.phone_booking.callers import Caller, Found, LastVisit
from dashboard.phone_booking.choice import Choice, Slot
from dashboard.phone_booking.exceptions import Exceptional
from dashboard.phone_booking.queries import Offered, by_id
from dashboard.phone_booking.times import FreeTimes
from dashboard.visits import Visits, within_reach
from dashboard.why.presenter import why_url
from notifications.channel_types import CHANNELS
from notifications.enums import Channel
from services.models import Location

BEST = 6


@dataclass(frozen=True, slots=True)
class Option:
    """A choice in a list or a row of chips. ``note`` is small text next to the label."""

    value: str
    label: str
    note: str = ""
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class TimeOption:
    value: str
    label: str
    note: str
    is_held: bool
    is_best: bool = False
    is_losing: bool = False


@dataclass(frozen=True, slots=True)
class CallerCard:
    """A found or chosen customer. ``warning`` is what staff should know before they book."""

    key: str
    name: str
    contact: str
    trust: str
    warning: str = ""
    notes: str = ""


@dataclass(frozen=True, slots=True)
class ExceptionWords:
    """The rules that a time breaks, one sentence each, and the button that overrides them."""

    sentences: Sequence[str]
    value: str
    named: str
    button: str


@dataclass(frozen=True, slots=True)
class Times:
    best: Sequence[TimeOption]
    by_day: Sequence[tuple[str, Sequence[TimeOption]]]
    empty: str = ""
    next_day: Option | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The held time with its countdown, as components/_countdown_left.html takes it, and the booking in words."""

    token: str
    when: str
    what: str
    where: str
    lines: Sequence[MoneyLine]
    policy: str
    expires_ms: int
    now_ms: int
    digits: str
    until: str
    seconds_left: int
    seconds_in_all: int


# --- who ------------------------------------------------------------------------------------------------------------


def caller_card(caller: Caller, place: Location) -> CallerCard:
    customer = caller.customer
    number = phone_text(customer.phone) if customer.phone else ""
    return CallerCard(
        key=customer.reference,
        name=customer.name,
        contact=" · ".join(filter(None, (number, customer.email))),
        trust=_trust(caller.visits, place),
        warning=gettext("May not book online. You can still book for them.") if customer.is_blocked else "",
        notes=customer.notes,
    )


def more_text(found: Found) -> str:
    """Say how many more customers match than are shown; empty if all are."""
    if found.is_many:
        return gettext("More than %(count)d more match. Type on.") % {"count": found.more_count}
    words = ngettext("%(count)d more matches. Type on.", "%(count)d more match. Type on.", found.more_count)
    return words % {"count": found.more_count} if found.more_count else ""


def _trust(visits: Visits, place: Location) -> str:
    """Return text such as "9 visits · never missed · last on 3 Nov"."""
    if not visits.came and not visits.missed:
        return within_reach(gettext("No visit before"), visits.reach)
    parts = [ngettext("%(count)d visit", "%(count)d visits", visits.came) % {"count": visits.came}]
    if visits.missed:
        parts.append(ngettext("missed %(count)d", "missed %(count)d", visits.missed) % {"count": visits.missed})
    else:
        parts.append(gettext("never missed"))
    if visits.last:
        on = visits.last.astimezone(ZoneInfo(place.time_zone)).date()
        parts.append(gettext("last on %(day)s") % {"day": formats.full_day_text(on)})
    return within_reach(" · ".join(parts), visits.reach)


# --- what -----------------------------------------------------------------------------------------------------------


def services(offered: Sequence[Offered], choice: Choice) -> list[tuple[str, list[Option]]]:
    """Return the services under their categories."""
    return [
        (category, [Option(each.slug, each.name, is_on=each == choice.service) for each in own])
        for category, own in groupby(offered, key=lambda each: each.category)
    ]


def variants(choice: Choice, currency: str) -> list[Option]:
    if choice.service is None:
        return []
    return [
        Option(
            str(each.id),
            each.label,
            formats.money_text(each.price_minor, currency, short=True),
            each == choice.variant,
        )
        for each in choice.service.variants
    ]


def extras(choice: Choice, currency: str) -> list[Option]:
    if choice.service is None:
        return []
    return [
        Option(
            str(each.id),
            each.name,
            f"+{formats.money_text(each.price_minor, currency, short=True)}",
            each in choice.extras,
        )
        for each in choice.service.extras
    ]


def is_as_last_time(choice: Choice, last: LastVisit | None) -> bool:
    if last is None or choice.service is None or choice.variant is None:
        return False
    return (last.service_slug, last.variant_id) == (choice.service.slug, choice.variant.id)


# --- when -----------------------------------------------------------------------------------------------------------


def people(choice: Choice) -> list[Option]:
    anyone = Option("", gettext("Anyone"), is_on=choice.person is None)
    return [anyone, *(Option(each.slug, each.name, is_on=each == choice.person) for each in choice.people)]


def days(choice: Choice, free: FreeTimes) -> list[Option]:
    """Return "Any day", then each shown day with its number of free times."""
    any_day = Option("", gettext("Any day"), is_on=choice.day is None)
    names = {on: formats.near_day_text(on, choice.today) for on in free.counts}
    return [
        any_day,
        *(
            Option(on.isoformat(), names[on], _free_note(count, is_staffed=on in free.staffed), on == choice.day)
            for on, count in free.counts.items()
        ),
    ]


def _free_note(count: int, *, is_staffed: bool) -> str:
    """Return the number of free times; without any, whether the day is full or nobody works."""
    if count:
        return str(count)
    return gettext("full") if is_staffed else gettext("off")


def why_of(choice: Choice) -> str:
    """Return the page that says why a time is not free, for the choices so far."""
    variant, person = choice.variant, choice.person
    return why_url(choice.place, variant=variant and variant.id, who=person and person.slug, on=choice.day)


def parts(choice: Choice) -> list[Option]:
    any_time = Option("", gettext("Any time"), is_on=choice.part is None)
    return [any_time, *(Option(part, str(part.label), is_on=part == choice.part) for part in DayPart)]


def times(choice: Choice, free: FreeTimes, held: Booking | None) -> Times:
    """Return the best times as large buttons, and below them all times by day."""
    slot = str(slot_of(held)) if held else ""
    options = [(start, _time_option(choice, start, slot)) for start in free.starts]
    in_order = sorted(options, key=lambda each: each[0].minute)
    by_day = groupby(in_order, key=lambda each: instant(each[0].minute).astimezone(choice.zone).date())
    following = free.next_on
    return Times(
        best=[option for _, option in options[:BEST]],
        by_day=[(formats.long_day_text(on), [option for _, option in own]) for on, own in by_day],
        empty="" if options else gettext("Nothing is free then."),
        next_day=Option(following.isoformat(), formats.long_day_text(following)) if following else None,
    )


def nearest(choice: Choice, slots: Sequence[Slot]) -> list[TimeOption]:
    """Return the free times near a refused one."""
    return [TimeOption(str(slot), _when_text(choice, slot.start_minute), "", is_held=False) for slot in slots]


def exception_words(choice: Choice, found: Exceptional) -> ExceptionWords:
    """Return, for example, "Ana does not work then." and "Hold Tue 18:00 anyway"."""
    person = by_id(choice.people).get(found.slot.staff_member_id or 0)
    when = _when_text(choice, found.slot.start_minute)
    return ExceptionWords(
        sentences=broken_rules(found.overrides, who=formats.isolated(person.name) if person else ""),
        value=str(found.slot),
        named=found.named,
        button=gettext("Hold %(when)s anyway") % {"when": when},
    )


def wanted_text(choice: Choice, minute: int) -> str:
    """Say when the time that a link names is held."""
    return gettext("%(when)s is held for you with the next thing you choose.") % {"when": _when_text(choice, minute)}


def given_back_text(choice: Choice, minute: int) -> str:
    """Say that the held time does not fit the service that was chosen instead."""
    values = {"when": _when_text(choice, minute), "service": choice.service.name if choice.service else ""}
    return gettext("%(when)s does not fit %(service)s and is free again. Choose another time.") % values


def slot_of(booking: Booking) -> Slot:
    """Return the time of a hold in the form that its button sends."""
    return Slot(minute_of(booking.starts_at), first_line(booking).staff_member_id)


def _time_option(choice: Choice, start: Start, held: str) -> TimeOption:
    value = str(Slot(start.minute, start.staff_member_id))
    who = by_id(choice.people).get(start.staff_member_id or 0)
    fit = start.fit
    is_losing, is_best = fit.lost_minutes > 0, fit.lost_minutes <= 0 and fit.ends_used > 0
    fits = gettext("fits best") if is_best else ""
    if is_losing:
        fits = gettext("loses %(minutes)s") % {"minutes": formats.minutes_text(fit.lost_minutes)}
    return TimeOption(
        value=value,
        label=_when_text(choice, start.minute),
        note=" · ".join(filter(None, (who.name if who else "", fits))),
        is_held=value == held,
        is_best=is_best,
        is_losing=is_losing,
    )


def _when_text(choice: Choice, minute: int) -> str:
    at = instant(minute).astimezone(choice.zone)
    day = formats.near_day_text(at.date(), choice.today)
    return pgettext("day and time", "%(day)s %(time)s") % {"day": day, "time": formats.time_text(at)}


# --- how ------------------------------------------------------------------------------------------------------------


def held_words(booking: Booking, token: str, asked: Demand, *, now: datetime) -> Held:
    ends = booking.hold_expires_at or now
    left = max(0, round((ends - now).total_seconds()))
    return Held(
        token=token,
        when=visit.when_text(booking),
        what=" · ".join(filter(None, (visit.what_text(booking), visit.extras_text(booking)))),
        where=" · ".join(filter(None, (", ".join(visit.staff_names(booking)), booking.location.text("name")))),
        lines=visit.price_lines(booking),
        policy=policies.plain_policy_sentence(policies.policy_facts(booking, asked=asked, now=now)),
        expires_ms=int(ends.timestamp() * 1000),
        now_ms=int(now.timestamp() * 1000),
        digits=formats.countdown_text(left),
        until=formats.time_text(local(ends, booking)),
        seconds_left=left,
        seconds_in_all=max(1, round((ends - booking.created_at).total_seconds())),
    )


def payments(booking: Booking, demands: dict[Asks, Demand], chosen: Asks, *, may_waive: bool) -> list[Option]:
    """Return the ways to pay for this visit. Ways that ask for less than the rules need the right to waive."""
    total = visit.money(booking.total_minor, booking)
    found = [Option(Asks.NOTHING, gettext("At the visit"), gettext("%(sum)s, cash or card") % {"sum": total})]
    rules, card = demands[Asks.RULES], demands[Asks.CARD]
    if rules.due_now_minor:
        due = visit.money(rules.due_now_minor, booking)
        found.append(Option(Asks.RULES, gettext("Send a link to pay"), gettext("%(sum)s now") % {"sum": due}))
    if card.saves_card:
        words = gettext("The card is kept, nothing is charged now")
        found.append(Option(Asks.CARD, gettext("Ask for a card by link"), words))
    return [
        Option(each.value, each.label, each.note, each.value == chosen)
        for each in found
        if may_waive or not is_waived(demands, Asks(each.value))
    ]


def first_choice(demands: dict[Asks, Demand]) -> Asks:
    """Return the way to pay that the rules ask of this customer."""
    rules = demands[Asks.RULES]
    if rules.due_now_minor:
        return Asks.RULES
    return Asks.CARD if rules.saves_card else Asks.NOTHING


def is_waived(demands: dict[Asks, Demand], asks: Asks) -> bool:
    """Return whether ``asks`` asks for less than the rules."""
    rules = demands[Asks.RULES]
    return rules.needs_stripe and demands[asks] != rules and asks is not Asks.RULES


def rules_text(booking: Booking, demands: dict[Asks, Demand]) -> str:
    """Return what the rules ask of this customer in a sentence; empty when they ask for nothing."""
    rules = demands[Asks.RULES]
    if rules.due_now_minor:
        due = visit.money(rules.due_now_minor, booking)
        return gettext("Your rules ask for %(sum)s now.") % {"sum": due}
    return gettext("Your rules ask for a card.") if rules.saves_card else ""


def rules_mark(demands: dict[Asks, Demand]) -> str:
    """Return the kind of payment that the rules ask for, as the form sends it. The page asks again if it changes."""
    rules = demands[Asks.RULES]
    return f"{rules.mode}.{int(rules.due_now_minor > 0)}{int(rules.saves_card)}"


def other_rules_text(booking: Booking, demands: dict[Asks, Demand]) -> str:
    """Say what the rules ask of a customer whose typed contact has changed it."""
    asked = rules_text(booking, demands) or gettext("Your rules ask this customer for nothing now.")
    return f"{asked} {gettext('Nothing is booked yet: check the payment, then book.')}"


def staff_name(booking: Booking) -> str:
    return visit.staff_short_name(booking)


def shown(booking: Booking) -> str:
    """Return the start, staff member and total of a hold as the form sends them. The page asks again if they change."""
    return f"{slot_of(booking)}.{booking.total_minor}"


def changed_text(booking: Booking) -> str:
    values = {"when": visit.when_text(booking), "total": visit.money(booking.total_minor, booking)}
    return gettext("It is now %(when)s for %(total)s. Nothing is booked yet: check it, then book.") % values


def told_text(name: str, channels: Sequence[Channel]) -> str:
    """Return by which channels the customer gets a message, such as "Sofia Kaya gets an e-mail and a text."."""
    named = [str(CHANNELS[channel].one_message) for channel in channels]
    if not named:
        return gettext("%(name)s gets no message: there is no e-mail address, and no text is sent.") % {"name": name}
    ways = named[0]
    if len(named) > 1:
        first, last = ", ".join(named[:-1]), named[-1]
        ways = pgettext("list of ways", "%(first)s and %(last)s") % {"first": first, "last": last}
    return gettext("%(name)s gets %(ways)s.") % {"name": name, "ways": ways}


def other_person_text(booking: Booking, name: str) -> str:
    """Say that another staff member was held because the one of the pressed time is no longer free."""
    values = {"name": name, "other": staff_name(booking)}
    return gettext("%(name)s is not free any more. %(other)s is, and is held now.") % values


def booked_text(booking: Booking) -> str:
    """Return the message after booking."""
    values = {"name": booking.contact_name, "when": visit.when_text(booking)}
    if booking.status == BookingStatus.PENDING_PAYMENT:
        values["until"] = formats.moment_text(local(booking.hold_expires_at or booking.starts_at, booking))
        return gettext("Kept for %(name)s until %(until)s: %(when)s. The link is on its way.") % values
    return gettext("Booked for %(name)s: %(when)s.") % values


def consent_text(policy: str) -> str:
    """Return the recorded consent: staff read the rule to the customer, who agreed."""
    return gettext("Agreed with the front desk: %(policy)s") % {"policy": policy}
