"""The lengths that a booked visit may get: of another variant of its service, or chosen by staff."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bookings.availability.claims import Claim, LineSpec, PlacedLine, claims_for, spec_of
from bookings.availability.loading import availability_facts
from bookings.availability.overrides import NO_OVERRIDES, OF_THE_START, Overrides, overrides_needed
from bookings.booked import day_of, quote_of, spec_of_line
from bookings.models import Booking, BookingLine
from bookings.rules.lengths import LONGEST_MINUTES, resized, shortest_minutes
from core.intervals import Interval, contains, normalised
from core.minutes import minute_of
from services.models import ServiceVariant
from staff.models import Qualification


@dataclass(frozen=True, slots=True)
class NewLength:
    """A length with the variant and the price that go with it. ``price_minor`` is that of the service without extras.

    ``is_by_hand``: staff chose the minutes, so variant and price stay as they are.
    """

    spec: LineSpec
    variant_id: int
    variant_name: str
    price_minor: int
    is_by_hand: bool = False

    @property
    def minutes(self) -> int:
        return self.spec.duration_minutes

    def applied(self, line: BookingLine) -> BookingLine:
        """Return an unsaved copy of the line with this variant and price."""
        changed = copy(line)
        changed.variant_id, changed.variant_name = self.variant_id, self.variant_name
        changed.price_minor = self.price_minor
        return changed


def length_by_hand(line: BookingLine, minutes: int) -> NewLength | None:
    """Return a length that staff chose; None when the visit cannot be so short or so long."""
    spec = spec_of_line(line)
    if not shortest_minutes(spec.phases) <= minutes <= LONGEST_MINUTES:
        return None
    changed = replace(spec, phases=resized(spec.phases, minutes))
    return NewLength(changed, line.variant_id, line.variant_name, line.price_minor, is_by_hand=True)


def lengths_of_variants(booking: Booking, line: BookingLine) -> list[NewLength]:
    """Return the other variants of the service that the staff member may perform, in the order of the catalogue.

    Each with the staff member's own length and price, and with the extras of the booking. Two queries.
    """
    others = ServiceVariant.objects.filter(service=line.variant.service_id, is_active=True).exclude(pk=line.variant_id)
    variants = list(others)
    own = {each.variant_id: each for each in _qualifications(line, variants)}
    if line.staff_member_id is not None:
        variants = [each for each in variants if each.pk in own]
    return [_of_variant(booking, line, each, own.get(each.pk)) for each in variants]


def total_after(booking: Booking, line: BookingLine, new: NewLength) -> int:
    """Return the total of the booking with this length, in minor units. What staff took off the price stays off."""
    return booking.total_minor + _quoted(booking, new.applied(line)) - _quoted(booking, line)


def claims_within_own(booking: Booking, line: BookingLine, new: NewLength) -> list[Claim] | None:
    """Return the claims of a length if they lie within the time that the booking has already, else None. One query."""
    own: dict[int, list[Interval]] = {}
    for resource_id, low, high in booking.allocations.values_list("resource_id", "low_minute", "high_minute"):
        own.setdefault(resource_id, []).append((low, high))
    person_id = line.staff_member.resource_id if line.staff_member else None
    others = tuple(resource_id for resource_id in sorted(own) if resource_id != person_id)
    claims = claims_for([PlacedLine(new.spec, minute_of(line.starts_at), person_id, others)])
    taken = {resource_id: normalised(spans) for resource_id, spans in own.items()}
    fits = all(contains(taken.get(each.resource_id, []), (each.low_minute, each.high_minute)) for each in claims)
    return claims if fits else None


def overrides_for_length(booking: Booking, line: BookingLine, new: NewLength, *, now: datetime) -> Overrides | None:
    """Return the rules to override for this length: none where the time is free, None where no override helps.

    Rules about the start do not count, because the start stays.
    """
    if claims_within_own(booking, line, new) is not None:
        return NO_OVERRIDES
    on = day_of(booking)
    facts = availability_facts(
        variant_ids=[new.variant_id],
        from_on=on,
        until_on=on + timedelta(days=1),
        now=min(now, booking.starts_at),
        location_ids=[booking.location_id],
        staff_member_id=line.staff_member_id,
        ignore_booking_id=booking.pk,
        promised=new.spec,
    )
    needed = overrides_needed(
        facts,
        new.variant_id,
        booking.location_id,
        minute_of(booking.starts_at),
        staff_member_id=line.staff_member_id,
    )
    return None if needed is None else needed - OF_THE_START


def _of_variant(booking: Booking, line: BookingLine, variant: ServiceVariant, own: Qualification | None) -> NewLength:
    spec = spec_of(
        work_minutes=variant.work_minutes,
        processing_minutes=variant.processing_minutes,
        finish_minutes=variant.finish_minutes,
        buffer_before=line.buffer_before_minutes,
        buffer_after=line.buffer_after_minutes,
        requirements=spec_of_line(line).requirements,
        needs_staff=line.staff_member_id is not None,
        add_on_minutes=sum(int(extra["extra_minutes"]) for extra in line.add_ons),
        own_work_minutes=own.work_minutes if own else None,
    )
    price = variant.price_minor if own is None or own.price_minor is None else own.price_minor
    return NewLength(spec, variant.pk, variant.text("name", booking.language), price)


def _qualifications(line: BookingLine, variants: Sequence[ServiceVariant]) -> Iterable[Qualification]:
    if line.staff_member_id is None:
        return []
    return Qualification.objects.filter(staff_member_id=line.staff_member_id, variant__in=variants)


def _quoted(booking: Booking, line: BookingLine) -> int:
    return quote_of(booking, [line]).total_minor
