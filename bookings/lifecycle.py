"""The statuses of a booking: which may follow which, and the one function that writes them.

It does not decide *whether* a step is allowed (``bookings.rules`` do) and does not write allocations (operations do).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind, MoneyEvent
from bookings.errors import WrongStatus
from bookings.models import Booking, BookingEvent
from core.inserts import insert_row_if, insert_rows

_S = BookingStatus

TRANSITIONS: Mapping[BookingStatus, frozenset[BookingStatus]] = {
    _S.HELD: frozenset({_S.PENDING_PAYMENT, _S.REQUESTED, _S.CONFIRMED, _S.EXPIRED}),
    _S.REQUESTED: frozenset({_S.CONFIRMED, _S.PENDING_PAYMENT, _S.DECLINED, _S.CANCELLED, _S.EXPIRED}),
    _S.PENDING_PAYMENT: frozenset({_S.CONFIRMED, _S.CANCELLED, _S.EXPIRED}),
    # Only for money that arrives after the hold has ended.
    _S.EXPIRED: frozenset({_S.CONFIRMED}),
    _S.CONFIRMED: frozenset({_S.STARTED, _S.COMPLETED, _S.CANCELLED, _S.NO_SHOW}),
    # In the next three, the step back is a correction by staff.
    _S.STARTED: frozenset({_S.COMPLETED, _S.CONFIRMED}),
    _S.NO_SHOW: frozenset({_S.CONFIRMED}),
    _S.COMPLETED: frozenset({_S.STARTED}),
    _S.CANCELLED: frozenset(),
    _S.DECLINED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or system that acts, and the channel. ``name`` is what the history shows; empty for a guest."""

    kind: ActorKind
    channel: BookingChannel
    user_id: int | None = None
    name: str = ""

    @property
    def is_business(self) -> bool:
        """Return whether staff act, or the system for them: then the rules that bind customers do not apply."""
        return self.kind != ActorKind.CUSTOMER


SYSTEM = Actor(ActorKind.SYSTEM, BookingChannel.SYSTEM)


def may_become(status: str, to: BookingStatus) -> bool:
    return to in TRANSITIONS[BookingStatus(status)]


def transition(
    booking: Booking,
    to: BookingStatus,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Move ``booking`` to ``to`` and write the row of its history, in one statement.

    ``values`` are further columns of the UPDATE. Writes only while the stored status is the one that ``booking`` shows,
    so that one of two concurrent callers wins. The caller provides the transaction. ``booking`` shows the new state
    afterwards.

    :raises WrongStatus: when the step is not in ``TRANSITIONS``, or another transaction changed the status first.
    """
    before = booking.status
    if not may_become(before, to):
        raise WrongStatus(from_status=before, to_status=to)
    columns = {**(values or {}), "status": to, "updated_at": now}
    event = event_of(
        booking, EventKind.STATUS, actor=actor, now=now, from_status=before, reason=reason, details=details
    )
    event.to_status = to
    if not insert_row_if(*_update(booking, before, columns), event):
        raise WrongStatus(from_status=before, to_status=to)
    for name, value in columns.items():
        setattr(booking, name, value)


def record(
    booking: Booking,
    kind: EventKind,
    *,
    actor: Actor,
    now: datetime,
    from_status: str | None = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> BookingEvent:
    """Append a row to the history of ``booking``, which shows its new state already.

    Without ``from_status`` the status did not change.
    """
    event = event_of(booking, kind, actor=actor, now=now, from_status=from_status, reason=reason, details=details)
    insert_rows(event)
    return event


def record_money(
    booking: Booking,
    event: MoneyEvent,
    *,
    actor: Actor,
    now: datetime,
    amount_minor: int | None = None,
    payment_id: int | None = None,
    refund_id: int | None = None,
    reason: str = "",
    more: Mapping[str, Any] | None = None,
) -> BookingEvent:
    """Append what the money of ``booking`` did to its history: the amount, and the payment or refund.

    ``more`` are further details by the names that ``money_events`` and the pages read.
    """
    known = {"amount_minor": amount_minor, "payment_id": payment_id, "refund_id": refund_id}
    told = {name: value for name, value in known.items() if value is not None}
    details = {"what": event.value, **told, **(more or {})}
    return record(booking, EventKind.MONEY, actor=actor, now=now, reason=reason, details=details)


def event_of(
    booking: Booking,
    kind: EventKind,
    *,
    actor: Actor,
    now: datetime,
    from_status: str | None = None,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> BookingEvent:
    """Return the row that ``record`` writes, unsaved."""
    return BookingEvent(
        booking=booking,
        kind=kind,
        from_status=booking.status if from_status is None else from_status,
        to_status=booking.status,
        actor_kind=actor.kind,
        actor_id=actor.user_id,
        actor_name=actor.name,
        channel=actor.channel,
        reason=reason[:300],
        details=dict(details or {}),
        at=now,
    )


def _update(booking: Booking, before: str, columns: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """Update the row only if its status is unchanged.

    Raw SQL, because Django would build the statement anew for every booking.
    """
    known = {name: field for field in Booking._meta.concrete_fields for name in (field.name, field.attname)}
    fields = [known[name] for name in columns]
    assignments = ", ".join(f'"{field.column}" = %s' for field in fields)
    values = [field.get_db_prep_save(value, connection) for field, value in zip(fields, columns.values(), strict=True)]
    statement = f"UPDATE bookings_booking SET {assignments} WHERE id = %s AND status = %s RETURNING 1"  # noqa: S608
    return statement, [*values, booking.pk, before]
