"""A proposal as text: what customers see now beside what is proposed, who proposed and decided it, and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import local
from bookings.models import Booking
from core import formats
from services.enums import Decision, ProposalKind
from services.models import ProposedChange
from services.proposed_values import Values, in_order, moved_on, variant_of, weekday_of

# Values of a list of proposals; the page of a proposal shows all.
_MOST_SHOWN = 3
_TONES = {"": ("warn", "clock"), Decision.APPROVED: ("ok", "check"), Decision.REJECTED: ("bad", "close")}
_REFERENCES = ("category", "locations", "staff", "resource_types")


@dataclass(frozen=True, slots=True)
class Policies:
    """Cancellation rules by id: their names now, and what customers read. None stands for rules that are not a
    service's own.
    """

    names: Mapping[int, str]
    sentences: Mapping[int | None, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One value, as lines of text: ``before`` and ``after``. ``news`` says that it changed since it was proposed."""

    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    news: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A proposal in the list. ``more`` is the number of values that are not listed."""

    url: str
    title: str
    kind: str
    badge: tuple[str, str, str]
    changes: tuple[Change, ...]
    more: int
    proposed: str
    decided: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A booking that would lie outside new hours."""

    pk: int
    name: str
    when: str
    url: str


def row_of(proposal: ProposedChange, current: Values | None, zone: ZoneInfo, policies: Policies) -> Row:
    changes = changes_of(proposal, current, policies)
    return Row(
        url=reverse("desk_proposal", args=[proposal.pk]),
        title=proposal.subject_name,
        kind=kind_text(proposal),
        badge=badge_of(proposal),
        changes=tuple(changes[:_MOST_SHOWN]),
        more=max(0, len(changes) - _MOST_SHOWN),
        proposed=proposed_text(proposal, zone),
        decided=decided_text(proposal, zone),
        is_stale=is_stale(proposal, current),
    )


def is_stale(proposal: ProposedChange, current: Values | None) -> bool:
    """Return whether the catalogue changed since a waiting proposal was made."""
    return proposal.is_waiting and bool(moved_on(proposal.before, current or {}))


def changes_of(proposal: ProposedChange, current: Values | None, policies: Policies) -> list[Change]:
    """Return the values side by side; of a new service those that have something in them.

    The left side of a waiting proposal is what customers see now; of an approved one what it replaced; else what
    customers saw when it was proposed.
    """
    now = current or {}
    old = now if proposal.is_waiting else proposal.replaced or proposal.before
    moved = set(moved_on(proposal.before, now)) if proposal.is_waiting else set()
    names = {**{f"cancellation_policy.{pk}": name for pk, name in policies.names.items()}, **proposal.names}

    def lines(key: str, values: Values) -> tuple[str, ...]:
        if key not in values:
            return (gettext("No longer offered"),)
        text = value_text(key, values[key], names, proposal.currency)
        return (*text, *policies.sentences.get(values[key], ())) if key == "cancellation_policy" else text

    if proposal.kind == ProposalKind.NEW_SERVICE:
        filled = [key for key in in_order(proposal.after) if proposal.after[key] not in ("", [])]
        return [Change(label_of(key, names), (), lines(key, proposal.after)) for key in filled]
    return [
        Change(
            label=label_of(key, names),
            before=lines(key, old),
            after=lines(key, proposal.after),
            news=_news(key, proposal, names) if key in moved else "",
        )
        for key in in_order(proposal.after)
    ]


def label_of(key: str, names: Mapping[str, str]) -> str:
    """Return what a value is called. A length is called as it was when it was proposed."""
    if key.startswith("day."):
        return formats.weekday_names()[weekday_of(key)][1]
    if length := variant_of(key):
        return f"{names.get(f'variant.{length[0]}', '')} · {_label(length[1])}"
    return _label(key)


def value_text(key: str, value: Any, names: Mapping[str, str], currency: str) -> tuple[str, ...]:
    """Return a value as lines of text."""
    what = (variant_of(key) or (0, key))[1]
    if key.startswith("day."):
        return tuple(_span(start, end) for start, end in value) or (gettext("Closed"),)
    if what.endswith("_minutes"):
        return (formats.minutes_text(value),)
    if what == "price_minor":
        return (formats.money_text(value, currency),)
    if what == "lengths":
        return tuple(
            f"{formats.minutes_text(length)} · {formats.money_text(price, currency)}" for length, price in value
        )
    if what == "cancellation_policy":
        if value is None:
            return (gettext("Those of the category, else of the business"),)
        return (names.get(f"{what}.{value}") or gettext("Rules that were deleted"),)
    if what in _REFERENCES:
        ids = value if isinstance(value, list) else [value]
        return (", ".join(names.get(f"{what}.{pk}", "") for pk in ids),)
    return tuple(str(value).splitlines()) or (gettext("Empty"),)


def kind_text(proposal: ProposedChange) -> str:
    return str(ProposalKind(proposal.kind).label)


def badge_of(proposal: ProposedChange) -> tuple[str, str, str]:
    """Return tone, icon and word of a proposal's state."""
    tone, icon_name = _TONES.get(proposal.decision, ("", "minus"))
    return tone, icon_name, str(Decision(proposal.decision).label) if proposal.decision else gettext("Waiting")


def proposed_text(proposal: ProposedChange, zone: ZoneInfo) -> str:
    return gettext("Proposed by %(name)s, %(moment)s") % {
        "name": formats.isolated(proposal.proposed_by_name),
        "moment": _moment(proposal.proposed_at, zone),
    }


def decided_text(proposal: ProposedChange, zone: ZoneInfo) -> str:
    """Return who decided and when; empty while it waits."""
    if proposal.decided_at is None:
        return ""
    texts = {
        Decision.APPROVED: gettext("Approved by %(name)s, %(moment)s"),
        Decision.REJECTED: gettext("Rejected by %(name)s, %(moment)s"),
        Decision.WITHDRAWN: gettext("Withdrawn by %(name)s, %(moment)s"),
    }
    return texts[Decision(proposal.decision)] % {
        "name": formats.isolated(proposal.decided_by_name),
        "moment": _moment(proposal.decided_at, zone),
    }


def notes_of(proposal: ProposedChange, kept: Sequence[tuple[int, str]]) -> list[str]:
    """Return what an approval leaves as it is. ``kept`` are (length id, name) of people with own prices or lengths."""
    if proposal.kind == ProposalKind.HOURS:
        return [gettext("Bookings outside the new hours stay. They are listed before anything is saved.")]
    if proposal.kind == ProposalKind.NEW_SERVICE:
        return [gettext("Customers can book it as soon as it is approved.")]
    notes = [gettext("Bookings that were made already keep their price, length and rules.")]
    for length_id in dict.fromkeys(pk for pk, _ in kept):
        people = ", ".join(name for pk, name in kept if pk == length_id)
        values = {"names": people, "length": proposal.names.get(f"variant.{length_id}", "")}
        notes.append(gettext("Own prices and lengths for %(length)s stay as they are: %(names)s.") % values)
    return notes


def hit_of(booking: Booking) -> Hit:
    return Hit(
        pk=booking.pk,
        name=booking.contact_name or formats.reference_text(booking.reference),
        when=formats.moment_text(local(booking.starts_at, booking)),
        url=reverse("desk_booking", args=[booking.reference]),
    )


def _news(key: str, proposal: ProposedChange, names: Mapping[str, str]) -> str:
    old = ", ".join(value_text(key, proposal.before[key], names, proposal.currency))
    return gettext("It was “%(value)s” when this was proposed.") % {"value": old}


def _span(start: int, end: int) -> str:
    return f"{formats.clock_text(start)}–{formats.clock_text(end)}"


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return formats.moment_text(at.astimezone(zone))


def _label(field: str) -> str:
    labels = {
        "name": gettext("Name"),
        "summary": gettext("In one line"),
        "description": gettext("Description"),
        "buffer_before_minutes": gettext("Free time before"),
        "buffer_after_minutes": gettext("Free time after"),
        "cancellation_policy": gettext("Cancellation rules"),
        "work_minutes": gettext("Length"),
        "processing_minutes": gettext("Then wait"),
        "finish_minutes": gettext("Then finish"),
        "price_minor": gettext("Price"),
        "category": gettext("Category"),
        "lengths": gettext("Lengths and prices"),
        "locations": gettext("Where"),
        "staff": gettext("Offered by"),
        "resource_types": gettext("Rooms and devices"),
    }
    return labels[field]
