"""The to-do list of the desk: everything that staff have to decide or do, read in a fixed number of queries.

Each list stops at ``MOST_LISTED``, the oldest first, so that a bad day cannot slow the page down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, Lower

from bookings import refs
from bookings.enums import NOT_BOOKED, STANDING, WAITING, BookingStatus
from bookings.models import Allocation, Booking, BookingLine, HelpMessage
from bookings.queries.bookings import open_requests
from bookings.queries.help_messages import unread_help
from bookings.queries.outside_hours import left_outside_hours
from bookings.rules.no_shows import MARKABLE
from dashboard.permissions import Act, Rights, bookings_run_by, can, location_ids_with, may, may_everywhere
from dashboard.queries import balances_of
from dashboard.time_off import requests_at
from notifications.models import InboundMessage
from payments.enums import COUNTING_REFUNDS, AlertKind, Method, PaymentStatus, RefundStatus
from payments.models import BillLine, MoneyAlert, Payment, Refund
from payments.queries import Balance, open_alerts
from privacy.models import PrivacyCase
from privacy.queries import cases_due_soon, open_reading_alerts
from services.enums import Delivery
from services.models import Location, ProposedChange
from staff.enums import Role

MOST_LISTED = 100
# Older balances are a matter for reminders and letters, not for the front desk.
OPEN_FOR = timedelta(days=60)
# The list asks about an unmarked visit from this long after its end, until a no-show can no longer be marked.
ASK_AFTER = timedelta(hours=2)
# An unused link is listed this long. By then the customer's contact is deleted.
LISTED_AFTER_LINK = timedelta(hours=24)
# A missing meeting link is listed from this long before an online visit.
LINK_WANTED = timedelta(hours=24)
_ANY_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
# Rights over the whole business whose to-dos are counted for those who hold them.
_COUNTED_FOR = (Act.APPROVE, Act.HANDLE_PRIVACY, Act.WATCH_READING)


@dataclass(frozen=True, slots=True)
class Hands:
    """``bookings`` has the bookings of alerts, refunds and messages by id. ``unpaid`` are past visits with an open
    balance. ``unmarked`` are past visits that staff have not marked as completed or missed. ``orphaned`` are future
    visits whose staff member has left, whose room or location is switched off, or whose meeting link is missing.

    A refund that awaits approval is listed once, as a refund, even when an alert warns about its deadline.
    ``unused_links`` are times that are free again because the customer did not finish the booking by the link.
    ``texts`` are text messages from customers. ``by_number`` has the bookings of each phone number: the next one
    first, past ones after it, the latest first.
    """

    alerts: list[MoneyAlert]
    to_approve: list[Refund]
    to_hand_back: list[Refund]
    asking: list[HelpMessage]
    texts: list[InboundMessage]
    proposals: list[ProposedChange]
    privacy_cases: list[PrivacyCase]
    requests: list[Booking]
    unused_links: list[Booking]
    orphaned: list[Booking]
    missed: list[Booking]
    unmarked: list[Booking]
    unpaid: list[Booking]
    bookings: dict[int, Booking]
    by_number: dict[str, list[Booking]]
    balances: dict[int, Balance]

    @property
    def is_cut(self) -> bool:
        """Whether more may be open than is listed. Past visits with a balance do not count."""
        lists = (
            self.alerts,
            self.to_approve,
            self.to_hand_back,
            self.asking,
            self.texts,
            self.proposals,
            self.privacy_cases,
            self.requests,
            self.unused_links,
            self.orphaned,
            self.missed,
            self.unmarked,
        )
        return any(len(each) == MOST_LISTED for each in lists)


def hands(rights: Rights, now: datetime) -> Hands:
    """Read the whole list. Twenty-six queries at most, whatever its length."""
    alerts = list(_alerts(rights).select_related("payment", "refund")[:MOST_LISTED])
    to_approve = list(_to_approve(rights).select_related("payment")[:MOST_LISTED])
    to_hand_back = list(_to_hand_back(rights).select_related("payment")[:MOST_LISTED])
    asking = list(_asking(rights)[:MOST_LISTED])
    texts = list(_texts(rights).order_by("received_at", "pk")[:MOST_LISTED])
    proposals = list(_with_zone(_proposals(rights)).order_by("proposed_at", "pk")[:MOST_LISTED])
    asked = cases_due_soon(now) if may(rights, Act.HANDLE_PRIVACY) else PrivacyCase.objects.none()
    privacy_cases = list(asked.select_related("customer").order_by("due_on", "pk")[:MOST_LISTED])
    requests = list(_shown(_requests(rights, now)))
    unused_links = list(_unused_links_shown(rights, now))
    orphaned = list(_shown(_orphaned(rights, now).order_by("starts_at", "pk")))
    missed = list(_shown(_missed(rights, now).order_by("fee_settles_at", "pk")))
    unpaid = list(_shown(_unpaid(rights, now).order_by("-ends_at", "-pk")))
    unmarked = list(_unmarked(rights, now).order_by("ends_at", "pk").values_list("pk", flat=True)[:MOST_LISTED])
    about: list[MoneyAlert | Refund] = [*alerts, *to_approve, *to_hand_back]
    ids = {booking_id for each in about if (booking_id := booking_id_of(each))}
    ids |= {message.booking_id for message in asking} | set(unmarked)
    bookings = {each.pk: each for each in _loaded(Booking.objects.filter(pk__in=ids))}
    return Hands(
        alerts=alerts,
        to_approve=to_approve,
        to_hand_back=to_hand_back,
        asking=asking,
        texts=texts,
        proposals=proposals,
        privacy_cases=privacy_cases,
        requests=requests,
        unused_links=unused_links,
        orphaned=orphaned,
        missed=missed,
        unmarked=[bookings[pk] for pk in unmarked],
        unpaid=unpaid,
        bookings=bookings,
        by_number=_by_number(rights, {text.address_hash for text in texts}, now),
        balances=balances_of([*missed, *unpaid, *requests]),
    )


def hands_count(rights: Rights, now: datetime) -> int:
    """Count the to-dos for the navigation. Open balances of past visits are listed but not counted. One query."""
    statement, parameters = _counting(
        rights.location_ids,
        rights.staff_member_id,
        answers_at=location_ids_with(rights, Act.ANSWER_TIME_OFF),
        held=frozenset(act for act in _COUNTED_FOR if may(rights, act)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [now + each if isinstance(each, timedelta) else each for each in parameters])
        (count,) = cursor.fetchone()
    return int(count)


@lru_cache(maxsize=256)
def _counting(
    location_ids: frozenset[int] | None,
    staff_member_id: int | None,
    *,
    answers_at: frozenset[int] | None,
    held: frozenset[Act],
) -> tuple[str, tuple[Any, ...]]:
    """Build the statement of ``hands_count`` once for each kind of reader, because every page of the desk asks it and
    building it takes longer than running it. Parameters that are moments are given as their distance from now.
    """
    roles = frozenset({Role.OWNER if Act.APPROVE in held else Role.MANAGER})
    rights = Rights(dict.fromkeys(location_ids or (None,), roles), staff_member_id)
    parts: list[QuerySet] = [  # type: ignore[type-arg] # of several models
        _alerts(rights),
        _to_approve(rights),
        _to_hand_back(rights),
        _asking(rights),
        _texts(rights),
        _proposals(rights),
        _requests(rights, _ANY_MOMENT),
        _unused_links(rights, _ANY_MOMENT),
        _orphaned(rights, _ANY_MOMENT),
        _missed(rights, _ANY_MOMENT),
        _unmarked(rights, _ANY_MOMENT),
        _outside(rights, _ANY_MOMENT),
        requests_at(answers_at, _ANY_MOMENT),
    ]
    if Act.HANDLE_PRIVACY in held:
        parts.append(cases_due_soon(_ANY_MOMENT))
    if Act.WATCH_READING in held:
        parts.append(open_reading_alerts())
    first, *others = (
        part.order_by().annotate(part=Value(number, IntegerField())).values_list("part", "pk")
        for number, part in enumerate(parts)
    )
    listed, parameters = first.union(*others, all=True).query.sql_with_params()
    counted = f"SELECT count(*) FROM ({listed}) listed"  # noqa: S608 (Django's own text)
    return counted, tuple(each - _ANY_MOMENT if isinstance(each, datetime) else each for each in parameters)


def outside_count(rights: Rights, now: datetime) -> int:
    """Count the bookings outside the hours that wait for a decision. One query."""
    return _outside(rights, now).count()


def alert_to_settle(rights: Rights, alert_id: int) -> tuple[MoneyAlert, Booking | None] | None:
    """Return an open alert that this user may settle, with its booking if it has one; else None."""
    alert = _alerts(rights).filter(pk=alert_id).first()
    if alert is None:
        return None
    booking = _loaded(Booking.objects.filter(pk=booking_id_of(alert) or 0)).first()
    return (alert, booking) if may_settle(rights, booking) else None


def text_to_answer(rights: Rights, message_id: int, now: datetime) -> InboundMessage | None:
    """Return an unanswered text message that this user may answer, else None."""
    text = _texts(rights).filter(pk=message_id).first()
    if text is None:
        return None
    bookings = _by_number(rights, {text.address_hash}, now)
    return text if may_answer(rights, bookings.get(text.address_hash, [])) else None


def may_answer(rights: Rights, bookings: Sequence[Booking]) -> bool:
    """Return whether the user may handle a text message: they handle one of the number's bookings, or every place."""
    return may_everywhere(rights, Act.ANSWER) or any(can(rights, Act.ANSWER, booking) for booking in bookings)


def may_settle(rights: Rights, booking: Booking | None) -> bool:
    """Return whether the user may settle an alert about a booking; ``None`` stands for an alert without a booking."""
    return can(rights, Act.RESOLVE, booking) if booking else may_everywhere(rights, Act.RESOLVE)


def booking_id_of(row: MoneyAlert | Refund) -> int | None:
    """Return the id of the booking that an alert or a refund belongs to."""
    ref = row.payment.subject_ref if isinstance(row, Refund) else row.subject_ref
    return refs.booking_id_of(ref)


def _alerts(rights: Rights) -> QuerySet[MoneyAlert]:
    """Open alerts about visible bookings. Only a reader of every place sees alerts without a booking."""
    alerts = open_alerts().exclude(kind=AlertKind.REFUND_WAITS)
    if rights.location_ids is None:
        return alerts
    return _about_run_by(rights, alerts, "subject_ref")


def _to_approve(rights: Rights) -> QuerySet[Refund]:
    """Refunds of cancellations by customers that await approval, the earliest deadline first."""
    waiting = Refund.objects.filter(status=RefundStatus.AWAITING_APPROVAL).order_by("answer_by", "pk")
    return _about_run_by(rights, waiting, "payment__subject_ref")


def _to_hand_back(rights: Rights) -> QuerySet[Refund]:
    """Refunds of money taken at the desk that staff have not handed over yet."""
    waiting = Refund.objects.filter(status=RefundStatus.QUEUED).exclude(method=Method.STRIPE).order_by("pk")
    return _about_run_by(rights, waiting, "payment__subject_ref")


def _about_run_by(rights: Rights, rows: QuerySet[Any], ref: str) -> QuerySet[Any]:
    """Return the rows about bookings that the reader handles. ``ref`` is their column with the booking's reference."""
    about = rows.annotate(booking_pk=refs.booking_id_column(ref))
    run: QuerySet[Any] = about.filter(Exists(bookings_run_by(rights).filter(pk=OuterRef("booking_pk"))))
    return run


def _asking(rights: Rights) -> QuerySet[HelpMessage]:
    return unread_help().filter(booking__in=bookings_run_by(rights))


def _texts(rights: Rights) -> QuerySet[InboundMessage]:
    """Text messages from numbers of visible bookings. Only a reader of every place sees unknown numbers."""
    waiting = InboundMessage.objects.filter(is_for_desk=True, handled_at=None)
    if rights.location_ids is None:
        return waiting
    return waiting.filter(Exists(bookings_run_by(rights).filter(phone_hash=OuterRef("address_hash"))))


def _proposals(rights: Rights) -> QuerySet[ProposedChange]:
    """Proposed changes that the user may approve."""
    waiting = ProposedChange.objects.filter(decision="")
    return waiting if may(rights, Act.APPROVE) else waiting.none()


def _with_zone(proposals: QuerySet[ProposedChange]) -> QuerySet[ProposedChange]:
    """Add ``zone_name``, the zone of the first location. A proposal need not belong to a location."""
    return proposals.annotate(zone_name=Subquery(Location.objects.order_by("position", "name").values("time_zone")[:1]))


def _by_number(rights: Rights, numbers: set[str], now: datetime) -> dict[str, list[Booking]]:
    """Visible bookings of phone numbers: future ones in the order of time, then past ones, the latest first."""
    if not numbers:
        return {}
    found = bookings_run_by(rights).filter(phone_hash__in=numbers).exclude(status=BookingStatus.EXPIRED)
    listed: dict[str, list[Booking]] = {}
    for booking in _loaded(found.order_by("-starts_at", "-pk")[:MOST_LISTED]):
        listed.setdefault(booking.phone_hash, []).append(booking)
    return {number: _by_turn(bookings, now) for number, bookings in listed.items()}


def _by_turn(latest_first: Sequence[Booking], now: datetime) -> list[Booking]:
    ahead = [booking for booking in latest_first if booking.ends_at > now]
    return [*reversed(ahead), *latest_first[len(ahead) :]]


def _requests(rights: Rights, now: datetime) -> QuerySet[Booking]:
    return open_requests(now) & bookings_run_by(rights)


def _unused_links(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Times that a customer did not book by the link in time, or gave back, and has not booked since.

    They are listed for a day, and not after the visit would have begun: then there is nothing left to do.
    """
    ended = {"hold_link__ended_at__gt": now - LISTED_AFTER_LINK, "starts_at__gt": now}
    same = Q(customer__isnull=False, customer=OuterRef("customer"))
    same |= Q(mailbox=Lower(OuterRef("contact_email"))) & ~Q(contact_email="")
    same |= Q(phone_hash=OuterRef("phone_hash")) & ~Q(phone_hash="")
    since = Booking.objects.annotate(mailbox=Lower("contact_email")).filter(same, created_at__gt=OuterRef("created_at"))
    booked_since = since.exclude(status__in=NOT_BOOKED)
    return bookings_run_by(rights).filter(~Exists(booked_since), status=BookingStatus.EXPIRED, **ended)


def _orphaned(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Future visits that cannot take place as planned: their staff member, room, device or location is switched off,
    or an online visit within ``LINK_WANTED`` has no meeting link.
    """
    agreed = Q(status=BookingStatus.CONFIRMED)
    waiting = Q(status__in=WAITING, hold_expires_at__gt=now)
    person = Q(staff_member__is_active=False) | Q(staff_member__resource__is_active=False)
    left = BookingLine.objects.filter(person, booking=OuterRef("pk"))
    gone = Allocation.objects.filter(booking=OuterRef("pk"), resource__is_active=False)
    ahead = bookings_run_by(rights).filter(agreed | waiting, ends_at__gt=now)
    performed = BookingLine.objects.filter(booking=OuterRef("pk"), staff_member__isnull=False)
    has_link = Exists(performed.exclude(staff_member__meeting_url="")) | (~Exists(performed) & ~Q(meeting_url=""))
    soon = agreed & Q(delivery=Delivery.ONLINE, starts_at__gt=now, starts_at__lte=now + LINK_WANTED)
    return ahead.filter(Q(location__is_active=False) | Exists(left) | Exists(gone) | (soon & ~has_link))


def _outside(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Bookings that a change of hours put outside them. They are listed on a page of their own."""
    return left_outside_hours(now) & bookings_run_by(rights)


def _missed(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """No-shows whose fee staff may still waive."""
    return bookings_run_by(rights).filter(status=BookingStatus.NO_SHOW, fee_settles_at__gt=now)


def _unmarked(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Visits that have ended and are marked neither completed nor missed, while staff can still mark a no-show."""
    # The second bound follows from the first. With it PostgreSQL scans the index between two moments.
    recent = Q(starts_at__gte=now - MARKABLE, starts_at__lte=now - ASK_AFTER)
    return bookings_run_by(rights).filter(recent, status=BookingStatus.CONFIRMED, ends_at__lte=now - ASK_AFTER)


def _unpaid(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Past visits with an open balance, including cancelled ones that owe a fee."""
    over = Q(
        status__in=STANDING,
        ends_at__gt=now - OPEN_FOR,
        ends_at__lte=now,
    )
    settled = Q(fee_settles_at=None) | Q(fee_settles_at__lte=now)
    missed = Q(settled, status=BookingStatus.NO_SHOW, ends_at__gt=now - OPEN_FOR)
    called_off = Q(
        status=BookingStatus.CANCELLED, cancellation_fee_minor__gt=0, cancelled_at__gt=now - OPEN_FOR, ends_at__lte=now
    )
    candidates = bookings_run_by(rights).filter(over | missed | called_off, bill__isnull=False)
    paid = Payment.objects.filter(subject_ref=OuterRef("ref"), status=PaymentStatus.SUCCEEDED)
    back = Refund.objects.filter(payment__subject_ref=OuterRef("ref"), status__in=sorted(COUNTING_REFUNDS))
    sums = candidates.annotate(ref=refs.ref_column()).annotate(
        owed=_total(BillLine.objects.filter(bill_id=OuterRef("bill_id"), subject_ref=OuterRef("ref")), "gross_minor"),
        paid=_total(paid, "amount_minor"),
        returned=_total(back, "amount_minor"),
    )
    return sums.filter(owed__gt=F("paid") - F("returned"))


def _total(rows: QuerySet, amount: str) -> Coalesce:  # type: ignore[type-arg] # of several models
    """Return the sum of a column as a subquery, so that the outer query needs no grouping."""
    summed = rows.order_by().annotate(one=Value(1)).values("one").annotate(total=Sum(amount)).values("total")
    return Coalesce(Subquery(summed, output_field=BigIntegerField()), Value(0), output_field=BigIntegerField())


def _shown(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    return _loaded(bookings)[:MOST_LISTED]


def _unused_links_shown(rights: Rights, now: datetime) -> QuerySet[Booking]:
    """Return them with their services and links, which their rows need as well."""
    shown = _loaded(_unused_links(rights, now).order_by("hold_link__ended_at", "pk"))
    return shown.select_related("hold_link", "customer").prefetch_related("lines__variant__service")[:MOST_LISTED]


def _loaded(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    return bookings.select_related("location").prefetch_related("lines__staff_member")
