"""Booking outside the rules: which rules a time breaks, and which staff member breaks the fewest."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms

from bookings.availability.loading import availability_facts
from bookings.availability.overrides import Overrides, overrides_needed
from core.forms import DayField
from core.minutes import instant
from dashboard.phone_booking.choice import Choice, Slot
from staff.hours import clock_minute


class OtherTimeForm(forms.Form):
    """A day and a time typed by hand, on the clock of the place."""

    other_on = DayField()
    other_at = forms.TimeField()


@dataclass(frozen=True, slots=True)
class Exceptional:
    """A time that needs these overrides, with the staff member who needs the fewest."""

    slot: Slot
    overrides: Overrides

    @property
    def named(self) -> str:
        """The rules as the page's button sends them. If they change meanwhile, the page asks again."""
        return ",".join(sorted(self.overrides))


def typed_slot(choice: Choice, form: OtherTimeForm) -> Slot:
    """Return the time of a valid form with the chosen staff member."""
    on, at = form.cleaned_data["other_on"], form.cleaned_data["other_at"]
    return Slot(clock_minute(choice.zone, on, at), choice.person.id if choice.person else None)


def exceptional(choice: Choice, slot: Slot, *, held_booking_id: int | None, now: datetime) -> Exceptional | None:
    """Return the overrides that a time needs; None when no override makes it possible. Five queries at most."""
    if choice.variant is None:
        return None
    on = instant(slot.start_minute).astimezone(choice.zone).date()
    facts = availability_facts(
        variant_ids=[choice.variant.id],
        from_on=on,
        until_on=on + timedelta(days=1),
        now=now,
        location_ids=[choice.place.pk],
        add_on_ids=choice.extra_ids,
        ignore_booking_id=held_booking_id,
    )
    wished = choice.person.id if choice.person else slot.staff_member_id
    offered: list[int | None] = [person.id for person in choice.people] or [None]
    people = [wished] if wished in offered else offered
    found = [
        Exceptional(Slot(slot.start_minute, person), needed)
        for person in people
        if (
            needed := overrides_needed(
                facts, choice.variant.id, choice.place.pk, slot.start_minute, staff_member_id=person
            )
        )
        is not None
    ]
    return min(found, key=lambda each: len(each.overrides), default=None)
