"""Moving a booking at the desk as text: days, staff and times to choose from, and the effects of the move."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from bookings.availability.overrides import Overrides
from bookings.booked import day_of, local, moment_at, only_line
from bookings.models import Booking
from bookings.wording.overrides import broken_rules
from core import formats
from core.day_parts import DayPart, day_part
from core.minutes import minute_of
from dashboard.moving.forms import MoveForm
from dashboard.moving.queries import Openings
from dashboard.presenters.confirmations import Ask
from dashboard.why.presenter import why_url
from staff.models import StaffMember


@dataclass(frozen=True, slots=True)
class Link:
    """A staff member, a day or a time to choose."""

    label: str
    url: str
    is_on: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class MovePage:
    """``same_time``: other staff members who are free at the booking's time. ``parts``: times by part of the day."""

    title: str
    day: str
    on: str
    before_url: str
    after_url: str
    people: tuple[Link, ...]
    same_time: tuple[Link, ...]
    parts: tuple[tuple[str, tuple[Link, ...]], ...]
    who: str
    back: str


def move_url(booking: Booking, **asked: object) -> str:
    """Return the address of the page that moves a booking; ``asked`` are query parameters, empty ones left out."""
    query = urlencode({name: value for name, value in asked.items() if value not in {None, ""}})
    url = reverse("desk_booking_move", args=[booking.reference])
    return f"{url}?{query}" if query else url


def why_of(booking: Booking, on: date, who: StaffMember | None) -> str:
    """Return the page that says why a time of the day is not free."""
    variant_id = only_line(booking).variant_id
    return why_url(booking.location, variant=variant_id, on=on.isoformat(), who=who.slug if who else "")


def move_page(
    booking: Booking,
    people: Sequence[StaffMember],
    openings: Openings,
    *,
    on: date,
    who: StaffMember | None,
    back: str,
    now: datetime,
) -> MovePage:
    """Return the page of one day. ``back``: where its pages lead afterwards (``booking_actions.comes_from``)."""
    url = partial(move_url, booking, back=back)
    own = minute_of(booking.starts_at)
    own_person = only_line(booking).staff_member_id
    chosen = openings.of(who.pk if who else None)
    if who is None or who.pk == own_person:
        chosen = [start for start in chosen if start != own]
    same = [person for person in people if person.pk != own_person and own in openings.by_person.get(person.pk, [])]
    who_id = who.pk if who else None
    return MovePage(
        title=gettext("Move this booking"),
        day=formats.long_day_text(on),
        on=on.isoformat(),
        before_url=url(on=on - timedelta(days=1), who=who_id),
        after_url=url(on=on + timedelta(days=1), who=who_id),
        people=tuple(_people_links(people, on, who, url)),
        same_time=tuple(Link(person.name, url(start=own, who=person.pk)) for person in same),
        parts=tuple(_parts(booking, chosen, openings, people, who, url)),
        who=str(who_id or ""),
        back=back,
    )


def _people_links(
    people: Sequence[StaffMember], on: date, who: StaffMember | None, url: Callable[..., str]
) -> list[Link]:
    if len(people) < 2:
        return []
    anyone = Link(gettext("Anyone"), url(on=on), is_on=who is None)
    return [anyone, *(Link(each.name, url(on=on, who=each.pk), is_on=each == who) for each in people)]


def _parts(
    booking: Booking,
    starts: Sequence[int],
    openings: Openings,
    people: Sequence[StaffMember],
    who: StaffMember | None,
    url: Callable[..., str],
) -> list[tuple[str, tuple[Link, ...]]]:
    """Return the times of a day in up to three parts. Where several staff are free, the booking keeps its own."""
    found: dict[DayPart, list[Link]] = {}
    own_person = only_line(booking).staff_member_id
    for start in starts:
        moment = moment_at(start, booking)
        free = [person for person in people if start in openings.by_person.get(person.pk, [])]
        person = who or next((each for each in free if each.pk == own_person), next(iter(free), None))
        note = person.short_name if person and who is None and person.pk != own_person else ""
        leads_to = url(start=start, who=person.pk if person else None)
        found.setdefault(day_part(moment.hour * 60 + moment.minute), []).append(
            Link(formats.time_text(moment), leads_to, note=note)
        )
    return [(str(part.label), tuple(links)) for part, links in found.items()]


def move_ask(booking: Booking, start: int, person: StaffMember | None, overrides: Overrides, *, now: datetime) -> Ask:
    """Return the confirming page of a move."""
    when = formats.dated_moment_text(moment_at(start, booking), local(now, booking).date())
    is_same_time = start == minute_of(booking.starts_at)
    is_other_person = person is not None and person.pk != only_line(booking).staff_member_id
    name = formats.isolated(person.short_name) if person else ""
    if is_same_time and is_other_person:
        title, button = gettext("Reassign this booking"), gettext("Reassign to %(name)s") % {"name": name}
    elif is_other_person:
        title, button = gettext("Move and reassign"), gettext("Move to %(when)s with %(name)s")
        button %= {"when": when, "name": name}
    else:
        title, button = gettext("Move this booking"), gettext("Move to %(when)s") % {"when": when}
    return Ask(
        title, _meaning(booking), button, named=MoveForm.name_of(start, person.pk if person else None, overrides)
    )


def move_notes(
    booking: Booking, start: int, person: StaffMember | None, overrides: Overrides, *, now: datetime
) -> list[str]:
    """Return old and new time and staff member, the broken rules, and who gets a message."""
    line = only_line(booking)
    today = local(now, booking).date()
    before = formats.dated_moment_text(local(booking.starts_at, booking), today)
    after = formats.dated_moment_text(moment_at(start, booking), today)
    was = line.staff_member.name if line.staff_member else ""
    will_be = person.name if person else was
    notes = []
    if before != after:
        notes.append(gettext("From %(before)s to %(after)s.") % {"before": before, "after": after})
    if was and was != will_be:
        notes.append(gettext("From %(was)s to %(will_be)s.") % {"was": was, "will_be": will_be})
    notes += broken_rules(overrides, who=formats.isolated(will_be))
    if told := list(dict.fromkeys(formats.isolated(name) for name in (was, will_be) if name)):
        notes.append(
            gettext("%(one)s and %(other)s get an e-mail.") % {"one": told[0], "other": told[1]}
            if len(told) > 1
            else gettext("%(one)s gets an e-mail.") % {"one": told[0]}
        )
    notes.append(gettext("You can undo it for a minute. The e-mails wait until then."))
    return notes


def _meaning(booking: Booking) -> str:
    free = gettext("It costs the customer nothing, whatever the rules say about moving.")
    if not booking.contact_email:
        return f"{free} {gettext('The customer gave no e-mail address: please tell them yourself.')}"
    return f"{free} {gettext('The customer gets an e-mail with the new time.')}"


def first_day(booking: Booking, now: datetime) -> date:
    """Return the day to open first: the booking's own, or today if that has passed."""
    return max(day_of(booking), local(now, booking).date())
