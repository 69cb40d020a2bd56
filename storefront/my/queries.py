"""What the pages of a signed-in customer read, in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from accounts.models import Customer
from bookings.availability.engine import free_starts
from bookings.availability.facts import Facts
from bookings.availability.loading import availability_facts
from bookings.booked import day_of, first_line, has_several_services, local
from bookings.enums import CHANGEABLE, EXPECTED, EXPIRING, TOOK_PLACE, BookingStatus
from bookings.models import Booking, BookingLine
from bookings.refs import subject_ref
from bookings.rules.rebooking import Habit, habit_of
from payments.models import Receipt, SavedCard
from payments.queries import Balance, balances
from services.models import Service

# Of a customer with more bookings only the latest are shown, and only their money is summed.
MOST_BOOKINGS = 300
PAST_AT_FIRST = 4
# How many services are offered again, and how far ahead their free times are looked for.
SERVICES_AGAIN, DAYS_AHEAD = 2, 42
_MOST_DAYS_AHEAD = 120


@dataclass(frozen=True, slots=True)
class Again:
    """A service with the staff member of the last visit, and its free starts at the place of that visit.

    ``staff_member_id`` is None where the visit was without one, or they no longer perform the service. ``starts`` are
    local, ascending. Prices are minor units.
    """

    last: Booking
    line: BookingLine
    staff_member_id: int | None
    price_minor: int
    habit: Habit | None
    starts: list[datetime]


@dataclass(frozen=True, slots=True)
class Mine:
    """The bookings of a customer. ``ahead`` is in the order of time, ``past`` the latest first.

    ``receipts`` are the numbers of the latest receipt by booking id.
    """

    ahead: list[Booking]
    past: list[Booking]
    balances: dict[int, Balance]
    receipts: dict[int, str]
    cards: list[SavedCard]


def bookings_of(customer: Customer, now: datetime) -> Mine:
    """Read the customer's bookings with lines, places and money. Five queries at most.

    A time that was only held, and one that ran out before it was booked, is not a booking.
    """
    lines = BookingLine.objects.select_related("staff_member", "variant__service")
    own = Booking.objects.filter(customer=customer).exclude(status=BookingStatus.HELD)
    own = own.exclude(status=BookingStatus.EXPIRED, payment_mode="")
    shown = own.select_related("location").prefetch_related(Prefetch("lines", lines))
    found = list(shown.order_by("-starts_at", "-pk")[:MOST_BOOKINGS])
    ahead = [each for each in found if is_ahead(each, now)]
    past = [each for each in found if not is_ahead(each, now)]
    refs = [subject_ref(each) for each in found]
    sums = balances(refs) if refs else {}
    numbers = dict(Receipt.objects.filter(subject_ref__in=refs).order_by("pk").values_list("subject_ref", "number"))
    return Mine(
        ahead=ahead[::-1],
        past=past,
        balances={each.pk: sums[subject_ref(each)] for each in found},
        receipts={each.pk: numbers[subject_ref(each)] for each in found if subject_ref(each) in numbers},
        cards=list(SavedCard.objects.filter(subject_ref__in=refs, detached_at=None).order_by("-created_at")),
    )


def is_ahead(booking: Booking, now: datetime) -> bool:
    """Return whether a visit is to come or has just begun; one that waits counts as long as its time is kept."""
    if booking.status in EXPIRING and (booking.hold_expires_at is None or booking.hold_expires_at <= now):
        return False
    return booking.status in CHANGEABLE | EXPECTED and booking.ends_at > now


def services_again(mine: Mine, now: datetime) -> list[Again]:
    """Return the services of the latest visits with their free times, the latest first. Five queries at most.

    Only what customers can book online is offered, with the same staff member if they still perform it.
    """
    lasts = _last_visits([each for each in [*mine.ahead[::-1], *mine.past] if _counts(each)])
    if not lasts:
        return []
    habits = {key: habit_of([local(each.starts_at, each) for each in visits]) for key, visits in lasts.items()}
    facts = _facts([visits[0] for visits in lasts.values()], habits.values(), now)
    offered = [_again(visits[0], habits[key], facts) for key, visits in lasts.items()]
    return [each for each in offered if each is not None][:SERVICES_AGAIN]


def _counts(booking: Booking) -> bool:
    """Return whether a booking says what its customer comes for: one service that is sold online."""
    if booking.status not in TOOK_PLACE | EXPECTED or has_several_services(booking) or booking.party_size > 1:
        return False
    variant = first_line(booking).variant
    return variant.is_active and variant.service.visibility == Service.Visibility.PUBLIC and booking.location.is_active


def _last_visits(visits: Sequence[Booking]) -> dict[tuple[int, int | None], list[Booking]]:
    """Group visits by length and staff member, the latest first; of more services only the latest few."""
    found: dict[tuple[int, int | None], list[Booking]] = {}
    for each in visits:
        line = first_line(each)
        found.setdefault((line.variant_id, line.staff_member_id), []).append(each)
    # One more than shown: a service may turn out not to be performed any more.
    return dict(list(found.items())[: SERVICES_AGAIN + 1])


def _facts(lasts: Sequence[Booking], habits: Iterable[Habit | None], now: datetime) -> Facts:
    """Load the next weeks, and for a slow rhythm the days around the next visit of the habit."""
    today = now.date()
    habitual = [(last, habit) for last, habit in zip(lasts, habits, strict=True) if habit]
    due = [day_of(last) + timedelta(weeks=habit.weeks, days=8) for last, habit in habitual]
    latest = min(max([today + timedelta(days=DAYS_AHEAD), *due]), today + timedelta(days=_MOST_DAYS_AHEAD))
    return availability_facts(
        variant_ids=[first_line(each).variant_id for each in lasts],
        from_on=today - timedelta(days=1),
        until_on=latest,
        now=now,
        location_ids=sorted({each.location_id for each in lasts}),
    )


def _again(last: Booking, habit: Habit | None, facts: Facts) -> Again | None:
    line = first_line(last)
    variant = facts.variants.get(line.variant_id)
    if variant is None or last.location_id not in variant.location_ids:
        return None
    prices = {person.staff_member_id: person.price_minor for person in variant.staff}
    performer = line.staff_member_id if line.staff_member_id in prices else None
    zone = facts.locations[last.location_id].zone
    free = free_starts(facts, line.variant_id, staff_member_id=performer).get(last.location_id, [])
    starts = [datetime.fromtimestamp(minute * 60, tz=zone) for minute in free]
    return Again(
        last=last,
        line=line,
        staff_member_id=performer,
        price_minor=prices[performer] if performer else variant.price_minor,
        habit=habit,
        # Where a visit is booked, nobody looks for another one before it, or on the same day.
        starts=[each for each in starts if each.date() > day_of(last)],
    )
