"""The answer as text: one line for each rule, or for each therapist, with what would change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.availability.engine import Finding
from bookings.availability.overrides import overrides_needed
from bookings.wording import rules
from bookings.wording.overrides import broken_rules
from core import formats
from core.minutes import instant
from dashboard.door import Desk
from dashboard.permissions import Act, roles_with
from dashboard.phone_booking.queries import Person
from dashboard.why.details import Details
from dashboard.why.queries import Asked, Inquiry, Obstacle
from services.models import Location

_SERVICE, _PLACE, _MEMBER = "services_service", "services_location", "staff_staffmember"
# The settings page that would change the answer of a rule.
_SETTINGS = {
    "offered_here": _SERVICE,
    "qualified": _MEMBER,
    "grid": _SERVICE,
    "notice": _SERVICE,
    "horizon": _SERVICE,
    "service_limit": _SERVICE,
    "opening_hours": _PLACE,
    "working_hours": _MEMBER,
    "staff_limit": _MEMBER,
}

# What is never asked about a court.
_OF_PEOPLE = frozenset({"qualified", "working_hours", "time_off", "staff_limit", "staff_free"})


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One rule, or one therapist. ``is_ok`` None means that nobody asked, as an earlier answer decides."""

    name: str
    is_ok: bool | None
    detail: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    title: str
    sentences: tuple[str, ...]
    is_free: bool
    rows_title: str
    counted: str
    rows: tuple[Row, ...]
    nearest: tuple[Link, ...]
    book: Link | None


def why_url(place: Location, **asked: object) -> str:
    """Return the address of the page; ``asked`` are query parameters, empty ones left out."""
    query = {"at": place.slug, **{name: value for name, value in asked.items() if value not in {None, ""}}}
    return f"{reverse('desk_why')}?{urlencode(query)}"


def rule_by_rule(desk: Desk, inquiry: Inquiry, details: Details, people: Sequence[Person]) -> Answer:
    """Answer for one therapist, or for a service without any."""
    person = inquiry.asked.person
    who, person_id = (person.name, person.id) if person else ("", None)
    findings = inquiry.findings(person_id)
    rows = tuple(
        _row(desk, details, decided, who)
        for decided in _decided(findings)
        if inquiry.needs_staff or decided[0].rule not in _OF_PEOPLE
    )
    return _answer(
        desk,
        inquiry,
        people,
        is_free=all(finding.ok for finding in findings),
        sentences=_refusals(inquiry, findings, person_id, who),
        rows_title=gettext("Rule by rule"),
        rows=rows,
    )


def person_by_person(desk: Desk, inquiry: Inquiry, people: Sequence[Person]) -> Answer:
    """Answer for anyone: one line for each therapist, with a link to the rules."""
    rows = []
    for person in people:
        refusals = _refusals(inquiry, inquiry.findings(person.id), person.id, person.name)
        detail = " ".join(refusals) or gettext("Every rule says yes.")
        link = Link(gettext("Rule by rule"), _with(inquiry.asked, who=person.slug), note=person.name)
        rows.append(Row(person.name, not refusals, detail, link))
    is_free = any(row.is_ok for row in rows)
    sentence = gettext("At least one therapist can do it.") if is_free else gettext("No therapist can do it then.")
    return _answer(
        desk,
        inquiry,
        people,
        is_free=is_free,
        sentences=(sentence,),
        rows_title=gettext("Therapist by therapist"),
        rows=tuple(rows),
    )


def _answer(
    desk: Desk,
    inquiry: Inquiry,
    people: Sequence[Person],
    *,
    is_free: bool,
    sentences: tuple[str, ...],
    rows_title: str,
    rows: tuple[Row, ...],
) -> Answer:
    asked = inquiry.asked
    when = formats.moment_text(asked.starts_at)
    title = gettext("%(when)s is free.") if is_free else gettext("%(when)s is not free.")
    return Answer(
        title=title % {"when": when},
        sentences=sentences or (gettext("Every rule says yes."),),
        is_free=is_free,
        rows_title=rows_title,
        counted=_counted(rows),
        rows=rows,
        nearest=tuple(_nearest(desk, inquiry, people)),
        book=_book(desk, inquiry, is_free=is_free),
    )


def _decided(findings: Sequence[Finding]) -> list[tuple[Finding, bool | None]]:
    """Pair each finding with its answer. Without anyone who performs the service the other rules are not asked."""
    is_performed = all(finding.ok for finding in findings[:2])
    return [(finding, finding.ok if is_performed or place < 2 else None) for place, finding in enumerate(findings)]


def _refusals(inquiry: Inquiry, findings: Sequence[Finding], person_id: int | None, who: str) -> tuple[str, ...]:
    refused = [finding.rule for finding, is_ok in _decided(findings) if is_ok is False]
    taken = {"staff_free", "resources_free"} & set(refused)
    if taken and inquiry.fits_without_buffers(person_id):
        others = [rules.refusal(rule, who=who) for rule in refused if rule not in taken]
        return (*broken_rules(["buffers"], who=who), *others)
    return tuple(rules.refusal(rule, who=who) for rule in refused)


def _row(desk: Desk, details: Details, decided: tuple[Finding, bool | None], who: str) -> Row:
    finding, is_ok = decided
    link = _change(desk, details, finding.rule) if is_ok is False else None
    detail = details.text(finding.rule) if is_ok is not None else ""
    return Row(rules.question(finding.rule, who=who), is_ok, detail, link)


def _counted(rows: Sequence[Row]) -> str:
    yes, no = (sum(row.is_ok is answer for row in rows) for answer in (True, False))
    said_yes = ngettext("%(count)d says yes", "%(count)d say yes", yes) % {"count": yes}
    return f"{said_yes}, {ngettext('%(count)d says no', '%(count)d say no', no) % {'count': no}}"


def _change(desk: Desk, details: Details, rule: str) -> Link | None:
    """Return the way to what would change a no, if the user may go there."""
    match rule:
        case "staff_free":
            return _booking(details.of_person)
        case "resources_free":
            return _booking(details.of_rooms)
        case "time_off" if _may(desk, details.inquiry.asked, Act.BLOCK_TIME):
            return Link(gettext("See time off"), reverse("desk_time_off"))
    return _settings(desk, details, rule)


def _booking(obstacles: Sequence[Obstacle]) -> Link | None:
    seen = next((each.booking for each in obstacles if each.booking), None)
    if seen is None:
        return None
    return Link(gettext("Open the booking"), reverse("desk_booking", args=[seen.reference]), note=seen.contact_name)


def _settings(desk: Desk, details: Details, rule: str) -> Link | None:
    model = _SETTINGS.get(rule)
    if model is None or not desk.user.is_staff or not desk.user.has_perm(model.replace("_", ".view_", 1)):
        return None
    asked = details.inquiry.asked
    pk = {_SERVICE: asked.service.id, _PLACE: asked.place.pk, _MEMBER: details.person_id}[model]
    return Link(gettext("See the setting"), reverse(f"admin:{model}_change", args=[pk])) if pk else None


def _nearest(desk: Desk, inquiry: Inquiry, people: Sequence[Person]) -> list[Link]:
    by_id = {person.id: person for person in people}
    links = []
    for minute, person_id in inquiry.nearest():
        person = by_id.get(person_id or 0)
        when = formats.moment_text(instant(minute).astimezone(inquiry.asked.zone))
        who = person.slug if person else ""
        url = _book_url(inquiry.asked, minute, who) if _may(desk, inquiry.asked, Act.BOOK) else ""
        links.append(Link(when, url, note=person.name if person else ""))
    return links


def _book(desk: Desk, inquiry: Inquiry, *, is_free: bool) -> Link | None:
    """Return the way to book the time: as it is, or against rules that the user may set aside."""
    asked = inquiry.asked
    if not _may(desk, asked, Act.BOOK):
        return None
    url = _book_url(asked, asked.start, asked.person.slug if asked.person else "")
    if is_free:
        return Link(gettext("Book this time"), url)
    person_id = asked.person.id if asked.person else None
    needed = overrides_needed(inquiry.facts, asked.variant.id, asked.place.pk, asked.start, staff_member_id=person_id)
    if needed is None or not _may(desk, asked, Act.OVERRIDE):
        return None
    return Link(gettext("Book it anyway, with a reason"), url)


def _may(desk: Desk, asked: Asked, act: Act) -> bool:
    return bool(desk.rights.at_location(asked.place.pk) & roles_with(act))


def _book_url(asked: Asked, start: int, who: str) -> str:
    on = instant(start).astimezone(asked.zone).date().isoformat()
    query = {"at": asked.place.slug, "service": asked.service.slug, "variant": asked.variant.id, "on": on}
    return f"{reverse('desk_book')}?{urlencode({**query, 'start': start, **({'who': who} if who else {})})}"


def _with(asked: Asked, *, who: str) -> str:
    on, at = asked.starts_at.date().isoformat(), asked.starts_at.strftime("%H:%M")
    return why_url(asked.place, variant=asked.variant.id, who=who, on=on, time=at)
