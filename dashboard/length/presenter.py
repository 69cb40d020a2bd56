"""Changing the length of a visit as text: the lengths to choose from, what is in the way, and the effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import local, spec_of_line
from bookings.models import Booking, BookingLine
from bookings.queries.lengths import NewLength, total_after
from bookings.queries.money import BookingMoney
from bookings.rules.lengths import LONGEST_MINUTES, STEP_MINUTES, shortest_minutes
from bookings.wording import visit
from bookings.wording.overrides import broken_rules
from core import formats
from dashboard.length.forms import LengthForm
from dashboard.length.queries import Clash
from dashboard.presenters.confirmations import Ask


@dataclass(frozen=True, slots=True)
class Option:
    """Another variant of the service: its length, and its price with the extras of the booking."""

    label: str
    note: str
    url: str


@dataclass(frozen=True, slots=True)
class LengthPage:
    """``minutes`` is the length that the field shows; ``now`` is the present one as text."""

    title: str
    now: str
    options: tuple[Option, ...]
    minutes: int
    shortest: int
    longest: int
    step: int
    back: str
    may_override: bool


def length_url(booking: Booking, **asked: Any) -> str:
    """Return the address of the page that changes the length; ``asked`` are query parameters, empty ones left out."""
    query = urlencode({name: value for name, value in asked.items() if value not in {None, ""}})
    url = reverse("desk_booking_length", args=[booking.reference])
    return f"{url}?{query}" if query else url


def length_page(
    booking: Booking,
    line: BookingLine,
    variants: Sequence[NewLength],
    *,
    minutes: int | None,
    back: str,
    may_override: bool,
) -> LengthPage:
    spec = spec_of_line(line)
    # The field of a browser offers only whole steps from the shortest length on.
    shortest = -(-shortest_minutes(spec.phases) // STEP_MINUTES) * STEP_MINUTES
    return LengthPage(
        title=gettext("Change the length"),
        now=formats.minutes_text(spec.duration_minutes),
        options=tuple(_option(booking, line, each, back) for each in variants),
        minutes=minutes or spec.duration_minutes,
        shortest=shortest,
        longest=LONGEST_MINUTES,
        step=STEP_MINUTES,
        back=back,
        may_override=may_override,
    )


def length_ask(booking: Booking, line: BookingLine, form: LengthForm) -> Ask:
    """Return the confirming page: what it costs, and the button with the new length."""
    new = form.wanted
    length = formats.minutes_text(new.minutes)
    is_longer = new.minutes > spec_of_line(line).duration_minutes
    button = gettext("Lengthen to %(length)s") if is_longer else gettext("Shorten to %(length)s")
    if new.minutes == spec_of_line(line).duration_minutes:
        button = gettext("Change to %(length)s")
    return Ask(
        gettext("Change the length"),
        f"{_price_text(booking, form.total_minor)} {_customer_text(booking)}",
        button % {"length": length},
        named=form.named(),
    )


def length_notes(
    booking: Booking, line: BookingLine, form: LengthForm, money: BookingMoney, variants: Sequence[NewLength]
) -> list[str]:
    """Return both spans of time, the broken rules, what happens to the money, and which staff member is informed."""
    new, name = form.wanted, visit.staff_short_name(booking)
    notes = [
        gettext("From %(before)s to %(after)s.")
        % {"before": _span(booking, spec_of_line(line).duration_minutes), "after": _span(booking, new.minutes)}
    ]
    if new.variant_name and line.variant_name and new.variant_name != line.variant_name:
        words = {"before": line.variant_name, "after": new.variant_name}
        notes.append(gettext("From %(before)s to %(after)s.") % words)
    notes += broken_rules(form.overrides, who=formats.isolated(name))
    notes += _money_notes(booking, form.total_minor, money)
    if new.is_by_hand and (same := next((each for each in variants if each.minutes == new.minutes), None)):
        price = visit.money(total_after(booking, line, same), booking)
        words = {"length": formats.minutes_text(new.minutes), "sum": price}
        notes.append(gettext("The service has a variant of %(length)s for %(sum)s: go back to choose it.") % words)
    if name:
        notes.append(gettext("%(one)s gets an e-mail.") % {"one": formats.isolated(name)})
    return notes


def clash_text(booking: Booking, new: NewLength, clash: Clash | None) -> str:
    """Return why the visit does not fit with this length."""
    words = {"length": formats.minutes_text(new.minutes), "who": formats.isolated(visit.staff_short_name(booking))}
    if clash is None:
        return gettext("%(length)s do not fit: a room or a device is taken, or a rule forbids it.") % words
    words["span"] = formats.span_text(local(clash.starts_at, booking), local(clash.ends_at, booking))
    if not clash.name:
        return gettext("%(length)s do not fit: %(who)s has another booking, %(span)s.") % words
    words["name"] = formats.isolated(clash.name)
    return gettext("%(length)s do not fit: %(who)s has %(name)s, %(span)s.") % words


def changed_text(new: NewLength) -> str:
    return gettext("The visit takes %(length)s now.") % {"length": formats.minutes_text(new.minutes)}


def _option(booking: Booking, line: BookingLine, new: NewLength, back: str) -> Option:
    length = formats.minutes_text(new.minutes)
    return Option(
        label=f"{new.variant_name} · {length}" if new.variant_name else length,
        note=visit.money(total_after(booking, line, new), booking),
        url=length_url(booking, variant=new.variant_id, back=back),
    )


def _price_text(booking: Booking, total_minor: int) -> str:
    words = {"before": visit.money(booking.total_minor, booking), "after": visit.money(total_minor, booking)}
    if total_minor == booking.total_minor:
        return gettext("The price stays %(before)s.") % words
    return gettext("The price goes from %(before)s to %(after)s.") % words


def _customer_text(booking: Booking) -> str:
    if not booking.contact_email:
        return gettext("The customer gave no e-mail address: please tell them yourself.")
    return gettext("The customer gets an e-mail with the new end.")


def _money_notes(booking: Booking, total_minor: int, money: BookingMoney) -> list[str]:
    """Say what goes back of a lower price, or what is due at the visit of a higher one."""
    by = total_minor - booking.total_minor
    paid_beyond = money.balance.net_paid_minor - (money.balance.owed_minor + by)
    if by < 0 < paid_beyond:
        return [gettext("%(sum)s goes back.") % {"sum": visit.money(min(-by, paid_beyond), booking)}]
    if by > 0:
        return [gettext("%(sum)s more is due at the visit.") % {"sum": visit.money(by, booking)}]
    return []


def _span(booking: Booking, minutes: int) -> str:
    starts = local(booking.starts_at, booking)
    return formats.span_text(starts, starts + timedelta(minutes=minutes))
