"""The actions on a booking at this moment: one main action, secondary ones, and from when the others are possible."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import fee_facts, local
from bookings.enums import STANDING, BookingStatus
from bookings.models import Booking
from bookings.queries.money import BookingMoney
from bookings.queries.payables import Payable
from bookings.rules.cancelling import cancel_refusal
from bookings.rules.lengths import length_refusal
from bookings.rules.no_shows import markable_from, no_show_refusal, undo_no_show_refusal
from bookings.wording import visit
from core import formats
from core.references import new_token
from dashboard.permissions import Act, Rights, can
from dashboard.presenters.confirmations import left_of_payments, stamp_of, waiting_refunds
from dashboard.presenters.progress import ICONS, LABELS, Mark, from_when, mark_url, next_mark, possible_marks
from payments.enums import LIVE_PAYMENTS, Method, RefundStatus
from payments.models import Refund

# Staff take money around the visit. Before that, a main button for it would only distract.
_NEAR = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Action:
    """A link to a page that asks. Without ``url`` the action is not possible yet, and ``note`` says from when.

    With a ``key`` it is a form that acts at once.
    """

    label: str
    icon_name: str
    url: str = ""
    note: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Actions:
    """``money`` is shown below the ledger. ``check_url`` takes a POST. ``seen`` goes along with each form."""

    main: Action | None
    quiet: tuple[Action, ...]
    money: tuple[Action, ...]
    check_url: str
    seen: str


def actions_of(booking: Booking, money: BookingMoney, rights: Rights, due: Payable | None, *, now: datetime) -> Actions:
    main = _main(booking, money, rights, now)
    quiet = [each for each in _quiet(booking, rights, now) if main is None or each.url != main.url]
    sums = [each for each in _money(booking, money, rights, due, now) if main is None or each.url != main.url]
    is_waiting = any(payment.status in LIVE_PAYMENTS for payment in money.attempts)
    check = _step(booking, "check") if is_waiting and can(rights, Act.TAKE_MONEY, booking) else ""
    return Actions(main, tuple(quiet), tuple(sums), check, stamp_of(booking, money))


def leading_back(actions: Actions, back: str) -> Actions:
    """Return the same actions; their pages lead to the address ``back`` afterwards."""

    def changed(action: Action) -> Action:
        if not action.url or action.key:
            return action
        sign = "&" if "?" in action.url else "?"
        return replace(action, url=f"{action.url}{sign}{urlencode({'back': back})}")

    return replace(
        actions,
        main=changed(actions.main) if actions.main else None,
        quiet=tuple(map(changed, actions.quiet)),
        money=tuple(map(changed, actions.money)),
    )


def _main(booking: Booking, money: BookingMoney, rights: Rights, now: datetime) -> Action | None:
    """Return the most urgent action, or None."""
    if booking.status == BookingStatus.REQUESTED and can(rights, Act.ANSWER, booking):
        return Action(gettext("Answer the request"), "check", _step(booking, "answer"))
    if (waiting := waiting_refunds(money)) and can(rights, Act.RETURN_MONEY, booking):
        return _approve(booking, waiting[0])
    is_waivable = booking.status == BookingStatus.NO_SHOW and booking.fee_settles_at and booking.fee_settles_at > now
    if is_waivable and money.fee_minor and can(rights, Act.WAIVE, booking):
        fee = visit.money(money.fee_minor, booking)
        return Action(gettext("Waive %(sum)s") % {"sum": fee}, "minus", _step(booking, "waive"))
    if (mark := next_mark(booking, now=now)) and can(rights, Act.MARK_PROGRESS, booking):
        return _mark(booking, mark)
    if not money.balance.open_minor or not can(rights, Act.TAKE_MONEY, booking):
        return None
    is_late_enough = now >= booking.starts_at - _NEAR or booking.status in {
        BookingStatus.PENDING_PAYMENT,
        BookingStatus.CANCELLED,
    }
    if not is_late_enough or booking.status == BookingStatus.EXPIRED or is_waivable:
        return None
    asked = money.balance.open_minor
    if booking.status == BookingStatus.PENDING_PAYMENT:
        asked = min(asked, booking.due_now_minor) or asked
    return Action(gettext("Take %(sum)s") % {"sum": visit.money(asked, booking)}, "card", _step(booking, "take"))


def _quiet(booking: Booking, rights: Rights, now: datetime) -> Iterator[Action]:
    """Yield the actions on the visit, its time and the customer."""
    if can(rights, Act.MARK_PROGRESS, booking):
        if day := from_when(booking, now=now):
            note = gettext("from %(moment)s") % {"moment": day}
            yield Action(LABELS[Mark.ARRIVED](), ICONS[Mark.ARRIVED], note=note)
        yield from (_mark(booking, mark) for mark in possible_marks(booking, now=now))
    if can(rights, Act.MARK_MISSED, booking):
        yield from _missed(booking, now)
    if booking.status == BookingStatus.PENDING_PAYMENT and can(rights, Act.WAIVE, booking):
        yield Action(gettext("Confirm without payment"), "check", _step(booking, "stand"))
    if _is_movable(booking) and can(rights, Act.MOVE, booking):
        yield Action(gettext("Move"), "swap", _step(booking, "move"))
        if length_refusal(status=booking.status, ends_at=booking.ends_at, now=now) is None:
            yield Action(gettext("Change length"), "clock", _step(booking, "length"))
    refusal = cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=now, by_staff=True)
    if refusal is None and now < booking.ends_at and can(rights, Act.CANCEL, booking):
        yield Action(gettext("Cancel"), "close", _step(booking, "cancel"))
    if can(rights, Act.ANSWER, booking) and booking.contact_email:
        yield Action(gettext("Message"), "chat", _step(booking, "reply"))
    if can(rights, Act.TRUST, booking) and booking.contact_email:
        yield Action(gettext("Open customer"), "user", _step(booking, "trust"))


def _is_movable(booking: Booking) -> bool:
    return booking.status in {BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED}


def _mark(booking: Booking, mark: Mark) -> Action:
    return Action(LABELS[mark](), ICONS[mark], mark_url(booking, mark), key=new_token())


def _missed(booking: Booking, now: datetime) -> Iterator[Action]:
    if booking.status == BookingStatus.NO_SHOW:
        if undo_no_show_refusal(status=booking.status, starts_at=booking.starts_at, now=now) is None:
            yield Action(gettext("Undo no-show"), "check", _step(booking, "came"))
        return
    if booking.status != BookingStatus.CONFIRMED:
        return
    facts = fee_facts(booking)
    first = markable_from(facts.terms, facts.starts_at)
    if now < first:
        is_today = local(first, booking).date() == local(now, booking).date()
        moment = formats.time_text(local(first, booking)) if is_today else formats.moment_text(local(first, booking))
        yield Action(gettext("No-show"), "minus", note=gettext("from %(moment)s") % {"moment": moment})
    elif no_show_refusal(facts, now) is None:
        yield Action(gettext("No-show"), "minus", _step(booking, "missed"))


def _money(
    booking: Booking, money: BookingMoney, rights: Rights, due: Payable | None, now: datetime
) -> Iterator[Action]:
    """Yield the actions on money: take, ask for, refund, waive."""
    open_minor = money.balance.open_minor
    may_take = can(rights, Act.TAKE_MONEY, booking) and booking.bill_id and booking.status != BookingStatus.EXPIRED
    if may_take and open_minor:
        yield Action(gettext("Record a payment"), "card", _step(booking, "take"))
        if due and booking.contact_email:
            yield Action(gettext("Send link"), "mail", _step(booking, "link"))
        if money.card and money.fee_minor:
            yield _charge(booking, now)
    elif may_take and due and booking.contact_email:
        yield Action(gettext("Send link"), "mail", _step(booking, "link"))
    if money.fee_minor and can(rights, Act.WAIVE, booking):
        yield Action(gettext("Waive fee"), "minus", _step(booking, "waive"))
    if can(rights, Act.RETURN_MONEY, booking):
        if left_of_payments(money):
            yield Action(gettext("Refund"), "swap", _step(booking, "refund"))
        if booking.status in STANDING and booking.total_minor:
            yield Action(gettext("Lower the price"), "minus", _step(booking, "discount"))
        for refund in waiting_refunds(money):
            yield _approve(booking, refund)
            yield Action(gettext("Refund less"), "minus", f"{_step(booking, 'lower')}?refund={refund.pk}")
            yield Action(gettext("Decline the refund"), "close", f"{_step(booking, 'decline')}?refund={refund.pk}")
        for payment in money.attempts:
            for refund in payment.refunds.all():
                if refund.status == RefundStatus.QUEUED and refund.method != Method.STRIPE:
                    label = gettext("Hand %(sum)s back") % {"sum": visit.money(refund.amount_minor, booking)}
                    yield Action(label, "swap", f"{_step(booking, 'hand_back')}?refund={refund.pk}")


def _charge(booking: Booking, now: datetime) -> Action:
    """Return the charge, or from when it is possible: until then the customer was promised that no money moves."""
    until = booking.fee_settles_at
    if until is None or now >= until:
        return Action(gettext("Charge card"), "card", _step(booking, "charge"))
    moment = formats.moment_text(local(until, booking))
    return Action(gettext("Charge card"), "card", note=gettext("from %(moment)s") % {"moment": moment})


def _approve(booking: Booking, refund: Refund) -> Action:
    label = gettext("Approve %(sum)s") % {"sum": visit.money(refund.amount_minor, booking)}
    return Action(label, "check", f"{_step(booking, 'approve')}?refund={refund.pk}")


def _step(booking: Booking, name: str) -> str:
    return reverse(f"desk_booking_{name}", args=[booking.reference])
