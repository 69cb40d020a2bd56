"""Holding a time for some minutes. A hold is a Booking in HELD with its own token."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from accounts.contact.contact import Contact
from bookings.availability.claims import phases_copy, requirements_copy
from bookings.availability.engine import Candidate
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.booked import first_line, has_several_services, only_line, quote_of
from bookings.enums import EXPIRING, BookingChannel, BookingStatus, EventKind
from bookings.errors import (
    BookingPaused,
    HoldOver,
    PartyTooLarge,
    ServiceNotOffered,
    SlotNotOffered,
    SlotTaken,
    TooManyHolds,
)
from bookings.lifecycle import Actor, event_of
from bookings.links import hold_token
from bookings.models import Booking, BookingLine, MoveProposal
from bookings.operations._allocations import allocations_of
from bookings.operations._expiring import drop_proposals, expire
from bookings.operations._lock import lock_limits, locked_booking, require_live_hold
from bookings.operations._time import Wish, pick
from bookings.operations._transaction import booking_transaction, is_outermost
from bookings.queries import alternatives
from bookings.queries.offers import Offer, offer_for
from bookings.reported_money import reported_fee, reported_money
from core.inserts import insert_rows
from core.locks import one_at_a_time
from core.minutes import instant, minute_of
from core.reads import sql_values
from core.references import new_reference, token_hash
from services.models import Service

EXTENSION = timedelta(minutes=5)
# Staff see the customer at the desk and the kiosk, so the limits for anonymous visitors do not apply.
_UNLIMITED = {BookingChannel.DESK, BookingChannel.WALK_IN, BookingChannel.KIOSK}


@dataclass(frozen=True, slots=True)
class HeldSlot:
    """A hold and the token that opens its page. The database has only the token's hash."""

    booking: Booking
    token: str


@dataclass(frozen=True, slots=True)
class _Request:
    variant_id: int
    location_id: int
    start_minute: int
    staff_member_id: int | None
    add_on_ids: tuple[int, ...]
    party_size: int
    language: str
    visitor_hash: str
    address_hash: str
    preferred_staff_id: int | None = None
    overrides: Overrides = NO_OVERRIDES
    reason: str = ""


def hold_slot(
    *,
    variant_id: int,
    location_id: int,
    start_minute: int,
    staff_member_id: int | None,
    actor: Actor,
    language: str,
    visitor_hash: str = "",
    address_hash: str = "",
    add_on_ids: Sequence[int] = (),
    party_size: int = 1,
    replacing_token: str | None = None,
    preferred_staff_id: int | None = None,
    overrides: Overrides = NO_OVERRIDES,
    reason: str = "",
    now: datetime,
) -> HeldSlot:
    """Hold a start (minutes since the Unix epoch) with a certain staff member, or with the best ranked one (None).

    Copies price, tax, duration, rules and texts as they stand now. Releases the hold of ``replacing_token`` in the same
    transaction. A visitor who already holds exactly this gets that hold again; its end does not change.

    ``preferred_staff_id``: the staff member who comes first if free, with anyone. ``overrides``: the rules that staff
    set aside for this start, recorded in the history with their ``reason``; customers have none.

    Locks: the visitor, the network address, their holds, owners of daily limits, then the resources that may be chosen.

    :raises SlotTaken: with the nearest free starts in ``data["alternatives"]``.
    :raises SlotNotOffered: when a rule forbids the start; with alternatives as well.
    :raises ServiceNotOffered: when variant, location or extras are not on offer.
    :raises BookingPaused, PartyTooLarge, TooManyHolds, Busy: as their sentences say.
    """
    request = _Request(
        variant_id=variant_id,
        location_id=location_id,
        start_minute=start_minute,
        staff_member_id=staff_member_id,
        add_on_ids=tuple(dict.fromkeys(add_on_ids)),
        party_size=party_size,
        language=language,
        visitor_hash=visitor_hash,
        address_hash=address_hash,
        preferred_staff_id=preferred_staff_id,
        overrides=overrides if actor.is_business else NO_OVERRIDES,
        reason=reason,
    )
    return _with_alternatives(request, actor, now, replacing_token=replacing_token)


def retake_hold(*, booking_id: int, actor: Actor, now: datetime) -> HeldSlot:
    """Hold the time of an expired hold again, if it is still free, at today's price. The typed details are kept.

    The old hold stays as history; the new one has a new token. Raises as ``hold_slot`` does.

    :raises HoldOver: when the hold has become a booking.
    :raises SeveralServices: when the visit has more than one service.
    """
    old = Booking.objects.get(pk=booking_id)
    if old.status not in {BookingStatus.HELD, BookingStatus.EXPIRED}:
        raise HoldOver
    line = only_line(old)
    request = _Request(
        variant_id=line.variant_id,
        location_id=old.location_id,
        start_minute=minute_of(old.starts_at),
        staff_member_id=None if old.is_any_staff else line.staff_member_id,
        add_on_ids=tuple(extra["id"] for extra in line.add_ons),
        party_size=old.party_size,
        language=old.language,
        visitor_hash=old.visitor_hash,
        address_hash=old.address_hash,
    )
    return _with_alternatives(request, actor, now, retaken=old)


@booking_transaction
def extend_hold(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Extend a live hold by ``EXTENSION``, once; a second call changes nothing.

    :raises HoldExpired, HoldOver: as their sentences say.
    """
    booking = locked_booking(booking_id)
    require_live_hold(booking, now)
    if not booking.is_hold_extended and booking.hold_expires_at:
        booking.is_hold_extended = True
        booking.hold_expires_at += EXTENSION
        booking.save(update_fields=["is_hold_extended", "hold_expires_at", "updated_at"])
    return booking


@booking_transaction
def release_hold(*, booking_id: int, actor: Actor, now: datetime) -> None:
    """Release a hold. Does nothing when it has run out already.

    :raises HoldOver: when the hold has become a booking.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.HELD:
        expire(booking, actor=actor, now=now, reason="given back")
    elif booking.status != BookingStatus.EXPIRED:
        raise HoldOver


@booking_transaction
def expire_holds(*, now: datetime, limit: int = 200, spared_ids: Collection[int] = ()) -> int:
    """End up to ``limit`` holds whose time is up and return how many.

    Skips rows that another transaction has locked, ``spared_ids`` (the state of their payment is unknown), and bookings
    with money that Stripe has reported. Ends up to ``limit`` proposed moves as well.

    No booking depends on this sweep: an expired time can be taken at once. The sweep keeps history and counters
    correct.
    """
    bookings = list(
        Booking.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(status__in=EXPIRING, hold_expires_at__lte=now)
        .exclude(pk__in=spared_ids)
        .exclude(reported_money(), status=BookingStatus.PENDING_PAYMENT)
        .order_by("pk")[:limit]
    )
    for booking in bookings:
        expire(booking, now=now, reason="ran out")
    drop_proposals(
        list(
            MoveProposal.objects.select_for_update(skip_locked=True)
            .filter(expires_at__lte=now)
            .exclude(reported_fee())
            .order_by("pk")[:limit]
        ),
        now=now,
    )
    return len(bookings)


def _with_alternatives(
    request: _Request,
    actor: Actor,
    now: datetime,
    *,
    replacing_token: str | None = None,
    retaken: Booking | None = None,
) -> HeldSlot:
    try:
        return _hold(request, actor, now, replacing_token, retaken)
    except (SlotTaken, SlotNotOffered) as refusal:
        refusal.data["alternatives"] = alternatives.nearest_alternatives(
            variant_id=request.variant_id,
            location_id=request.location_id,
            start_minute=request.start_minute,
            staff_member_id=request.staff_member_id,
            now=now,
        )
        raise


@booking_transaction
def _hold(
    request: _Request, actor: Actor, now: datetime, replacing_token: str | None, retaken: Booking | None
) -> HeldSlot:
    _lock_visitor_and_address(request)
    own, address_count = _own_holds(request, replacing_token, now)
    if same := next((each for each in own if _is_the_same(each, request, actor)), None):
        return HeldSlot(same, hold_token(same))
    replaced = [each for each in own if _is_replaced(each, request, replacing_token)]
    offer = _checked_offer(request, actor)
    is_limited = actor.channel not in _UNLIMITED
    if is_limited and (
        len(own) - len(replaced) >= settings.HOLDS_PER_VISITOR or address_count >= settings.HOLDS_PER_ADDRESS
    ):
        raise TooManyHolds
    for earlier in replaced:
        expire(earlier, actor=actor, now=now, reason="another time was picked")
    lock_limits(
        service_id=offer.service_id if offer.has_service_limit else None, has_business_limit=offer.has_business_limit
    )
    candidate = pick(_wish(request, offer), now=now)
    line = _new_line(request, offer, candidate)
    booking = _new_booking(request, offer, line, actor=actor, now=now, retaken=retaken)
    line.booking = booking
    details = {"overrides": sorted(request.overrides)} if request.overrides else {}
    begun = event_of(
        booking, EventKind.STATUS, actor=actor, now=now, from_status="", reason=request.reason, details=details
    )
    insert_rows(line, *allocations_of(booking, candidate.claims), begun)
    return HeldSlot(booking, hold_token(booking))


def _lock_visitor_and_address(request: _Request) -> None:
    """Serialize the requests of one visitor, and those from one network address.

    So a second click of the same visitor finds the hold of the first. Lock order: the visitor, then the address. The
    holds are counted in a separate statement, because a statement that waits for a lock does not see what was committed
    meanwhile.
    """
    names = (f"hold:{request.visitor_hash}", f"hold-address:{request.address_hash}")
    one_at_a_time(*(name for name in names if not name.endswith(":")))


# A hold that is lost in a server crash does no harm, because the visitor picks the time again. So its commit does not
# wait for the disk.
_OWN_HOLDS = f"""
SELECT at_address.count, own.id,
    set_config('synchronous_commit', CASE WHEN %s THEN 'off' ELSE current_setting('synchronous_commit') END, true)
FROM (
    SELECT count(*) FROM bookings_booking
    WHERE address_hash = %s AND address_hash <> '' AND status IN {sql_values(EXPIRING)}
        AND hold_expires_at > %s
) at_address
LEFT JOIN LATERAL (
    SELECT id FROM bookings_booking
    WHERE status IN {sql_values(EXPIRING - {BookingStatus.REQUESTED})} AND hold_expires_at > %s
        AND (visitor_hash = %s AND visitor_hash <> '' OR hold_token_hash = %s)
    ORDER BY id
    FOR NO KEY UPDATE
) own ON true
"""  # noqa: S608 (our own text)


def _own_holds(request: _Request, replacing_token: str | None, now: datetime) -> tuple[list[Booking], int]:
    """Lock the visitor's holds and the hold to be replaced, which may come from another device.

    Returns them, unpaid bookings included, and the number of times that are kept for the network address without being
    confirmed. From here on the commit does not wait for the disk, unless the hold is part of a larger transaction.
    """
    replaced_hash = token_hash(replacing_token) if replacing_token else None
    with connection.cursor() as cursor:
        cursor.execute(
            _OWN_HOLDS, [is_outermost(), request.address_hash, now, now, request.visitor_hash, replaced_hash]
        )
        rows = cursor.fetchall()
    ids = [own_id for _, own_id, _ in rows if own_id is not None]
    own = Booking.objects.filter(pk__in=ids).prefetch_related("lines").order_by("pk") if ids else []
    return list(own), int(rows[0][0])


def _is_the_same(held: Booking, request: _Request, actor: Actor) -> bool:
    """Return whether this visitor already holds exactly this: a double submission, or the visitor went back and forth.

    Extras and people that a customer added on the details page stay. Staff send all choices on one page, so for them
    an extra or a person less is another wish.
    """
    if held.status != BookingStatus.HELD or not request.visitor_hash or held.visitor_hash != request.visitor_hash:
        return False
    line = first_line(held)
    add_on_ids = {extra["id"] for extra in line.add_ons}
    keeps_added = not actor.is_business
    return (
        _is_same_wish(held, line, request)
        and (set(request.add_on_ids) == add_on_ids or (keeps_added and not request.add_on_ids))
        and (request.party_size == held.party_size or (keeps_added and request.party_size == 1))
        and held.hold_token_hash == token_hash(hold_token(held))
    )


def _is_same_wish(held: Booking, line: BookingLine, request: _Request) -> bool:
    if has_several_services(held):
        return False
    wish = None if held.is_any_staff else line.staff_member_id
    return (held.location_id, minute_of(held.starts_at), line.variant_id, wish) == (
        request.location_id,
        request.start_minute,
        request.variant_id,
        request.staff_member_id,
    )


def _is_replaced(held: Booking, request: _Request, replacing_token: str | None) -> bool:
    """Return whether the new hold replaces this one: its token says so, or it is the same wish.

    A booking that waits for payment is never replaced.
    """
    if held.status != BookingStatus.HELD:
        return False
    if replacing_token and held.hold_token_hash == token_hash(replacing_token):
        return True
    return _is_same_wish(held, first_line(held), request)


def _checked_offer(request: _Request, actor: Actor) -> Offer:
    offer = offer_for(
        variant_id=request.variant_id,
        location_id=request.location_id,
        add_on_ids=request.add_on_ids,
        language=request.language,
    )
    if offer is None or not offer.is_variant_active or not offer.is_at_location:
        raise ServiceNotOffered
    if offer.visibility != Service.Visibility.PUBLIC and not (
        actor.is_business and offer.visibility == Service.Visibility.HIDDEN
    ):
        raise ServiceNotOffered
    if len(offer.extras) < len(request.add_on_ids):
        raise ServiceNotOffered
    if offer.is_paused and not actor.is_business:
        raise BookingPaused(message=offer.paused_message)
    if not 1 <= request.party_size <= offer.max_party_size:
        raise PartyTooLarge(maximum=offer.max_party_size)
    return offer


def _wish(request: _Request, offer: Offer) -> Wish:
    return Wish(
        variant_id=request.variant_id,
        location_id=request.location_id,
        zone=offer.zone,
        start_minute=request.start_minute,
        staff_member_id=request.staff_member_id,
        resource_type_ids=offer.resource_type_ids,
        qualified_count=offer.qualified_count,
        add_on_ids=request.add_on_ids,
        preferred_staff_id=request.preferred_staff_id,
        overrides=request.overrides,
    )


def _new_line(request: _Request, offer: Offer, candidate: Candidate) -> BookingLine:
    return BookingLine(
        variant_id=offer.variant_id,
        staff_member_id=candidate.staff_member_id,
        service_name=offer.service_name,
        variant_name=offer.variant_name,
        preparation=offer.preparation,
        starts_at=instant(request.start_minute),
        ends_at=instant(request.start_minute + candidate.spec.duration_minutes),
        phases=phases_copy(candidate.spec),
        buffer_before_minutes=candidate.spec.buffer_before,
        buffer_after_minutes=candidate.spec.buffer_after,
        requirements=requirements_copy(candidate.spec),
        price_minor=candidate.price_minor,
        add_ons=[extra.to_json() for extra in offer.extras],
        tax_basis_points=offer.tax_basis_points,
    )


def _new_booking(
    request: _Request,
    offer: Offer,
    line: BookingLine,
    *,
    actor: Actor,
    now: datetime,
    retaken: Booking | None,
) -> Booking:
    booking = Booking(
        reference=new_reference(),
        hold_expires_at=now + timedelta(minutes=offer.hold_minutes),
        location_id=request.location_id,
        starts_at=line.starts_at,
        ends_at=line.ends_at,
        is_any_staff=request.staff_member_id is None and line.staff_member_id is not None,
        party_size=request.party_size,
        channel=actor.channel,
        language=request.language,
        visitor_hash=request.visitor_hash,
        address_hash=request.address_hash,
        delivery=offer.delivery,
        currency=offer.currency,
        prices_include_tax=offer.prices_include_tax,
        terms=offer.terms.to_json(),
        created_at=now,
    )
    booking.hold_token_hash = token_hash(hold_token(booking))
    price = quote_of(booking, [line])
    booking.total_minor, booking.tax_minor = price.total_minor, price.tax_minor
    if retaken:
        for column, value in Contact.of_row(retaken).columns().items():
            setattr(booking, column, value)
    insert_rows(booking)
    return booking
