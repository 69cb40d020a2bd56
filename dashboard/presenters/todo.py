"""The to-do list as text: what happened, since when, how much money, and what to do now."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.phones import phone_text
from bookings.booked import local
from bookings.models import Booking, HelpMessage
from bookings.wording import visit
from bookings.wording.appointment import meeting_url
from core import formats
from dashboard.permissions import Act, Rights, can
from dashboard.presenters import day
from dashboard.presenters.booking import book_again_url
from dashboard.presenters.due import end_of, privacy_hand
from dashboard.presenters.hand import Do, Hand
from dashboard.todo import Hands, booking_id_of, may_answer, may_settle
from notifications.enums import InboundOutcome
from notifications.models import InboundMessage
from payments.approvals import is_overdue
from payments.enums import AlertKind, Method
from payments.models import MoneyAlert, Refund
from services.enums import Delivery, ProposalKind
from services.models import ProposedChange

_MOST_CHARACTERS = 160


def rows_of(hands: Hands, rights: Rights, *, now: datetime) -> list[Hand]:
    """Return to-dos with a deadline first, soonest first; then the rest, oldest first; last the past visits that staff
    have not marked.
    """
    ending = [(booking.hold_expires_at, _request(booking, hands, rights, now)) for booking in hands.requests]
    ending += [(booking.starts_at, _orphaned(booking, rights)) for booking in hands.orphaned]
    ending += [(booking.fee_settles_at, _missed(booking, hands, rights, now)) for booking in hands.missed]
    ending += [(refund.answer_by, _to_approve(refund, hands, rights, now)) for refund in hands.to_approve]
    ending += [(end_of(case), privacy_hand(case, now)) for case in hands.privacy_cases]
    waiting = [(booking.hold_link.ended_at, _unused_link(booking, rights)) for booking in hands.unused_links]
    waiting += [(message.created_at, _asking(message, hands, rights)) for message in hands.asking]
    waiting += [(text.received_at, _text(text, hands, rights)) for text in hands.texts]
    waiting += [(alert.created_at, _alert(alert, hands, rights)) for alert in hands.alerts]
    waiting += [(proposal.proposed_at, _proposal(proposal)) for proposal in hands.proposals]
    waiting += [(refund.created_at, _to_hand_back(refund, hands, rights)) for refund in hands.to_hand_back]
    past = [_unmarked(booking, rights) for booking in hands.unmarked]
    return [*_by_time(ending), *_by_time(waiting), *past]


def unpaid_rows(hands: Hands, *, now: datetime) -> list[day.Row]:
    """Return the past visits with an open balance."""
    return [
        day.row_of(booking, hands.balances[booking.pk], now=now, show_place=True, show_day=True)
        for booking in hands.unpaid
    ]


def alert_text(alert: MoneyAlert) -> str:
    """Return what happened and what to do about it, in a sentence or two."""
    words = _ALERTS.get(AlertKind(alert.kind))
    return words() if words else ""


def alert_sum(alert: MoneyAlert) -> str:
    row = alert.refund or alert.payment
    return formats.money_text(row.amount_minor, row.currency) if row else ""


def alert_details(alert: MoneyAlert) -> list[tuple[str, str]]:
    """Return the ids and sums that help staff to find it at Stripe."""
    return [(key.replace("_", " "), str(value)) for key, value in alert.details.items() if value not in {"", None}]


def _by_time(rows: Iterable[tuple[datetime | None, Hand]]) -> list[Hand]:
    return [hand for _, hand in sorted(((at, hand) for at, hand in rows if at), key=lambda row: row[0])]


def _request(booking: Booking, hands: Hands, rights: Rights, now: datetime) -> Hand:
    return Hand(
        icon_name="alert",
        title=gettext("Booking request"),
        text=gettext("The time is held until you answer. Without an answer it is given back."),
        sum=formats.money_text(booking.total_minor, booking.currency),
        since=_moment(booking.created_at, booking),
        until=_until(booking.hold_expires_at, booking, now),
        actions=_allowed(rights, booking, (Act.ANSWER, gettext("Answer"), _step(booking, "answer"))),
        **about_of(booking),
    )


def _unused_link(booking: Booking, rights: Rights) -> Hand:
    actions: tuple[Do, ...] = ()
    if can(rights, Act.BOOK, booking):
        done = reverse("desk_hold_done", args=[booking.reference])
        actions = (Do(gettext("Book it again"), book_again_url(booking)), Do(gettext("Done"), done, is_post=True))
    ended_at = booking.hold_link.ended_at or booking.starts_at
    return Hand(
        icon_name="clock",
        title=gettext("Booking not finished"),
        text=gettext("The customer got a link and did not finish in time. The time is free again: call, or let it go."),
        sum="",
        since=_moment(ended_at, booking),
        actions=actions,
        **about_of(booking),
    )


def _orphaned(booking: Booking, rights: Rights) -> Hand:
    gone = [
        line.staff_member.name for line in booking.lines.all() if line.staff_member and not line.staff_member.is_active
    ]
    if not booking.location.is_active:
        text = gettext("%(place)s is switched off.") % {"place": booking.location.text("name")}
    elif not gone and booking.delivery == Delivery.ONLINE and not meeting_url(booking):
        return _without_link(booking, rights)
    elif gone:
        text = gettext("%(name)s takes no bookings any more.") % {"name": ", ".join(gone)}
    else:
        text = gettext("A room or device of this visit is switched off.")
    return Hand(
        icon_name="users",
        title=gettext("Cannot take place as booked"),
        text=f"{text} {gettext('Call the customer: move it to another time or therapist, or cancel it.')}",
        sum="",
        since=_moment(booking.confirmed_at or booking.created_at, booking),
        actions=_allowed(rights, booking, (Act.CANCEL, gettext("Cancel"), _step(booking, "cancel"))),
        **about_of(booking),
    )


def _without_link(booking: Booking, rights: Rights) -> Hand:
    return Hand(
        icon_name="alert",
        title=gettext("Online visit without a link"),
        text=gettext(
            "The customer was promised a link. Add the meeting link to the staff member, and the customer's page has"
            " it; or send one by message."
        ),
        sum="",
        since=_moment(booking.confirmed_at or booking.created_at, booking),
        actions=_allowed(rights, booking, (Act.ANSWER, gettext("Message"), _step(booking, "reply"))),
        **about_of(booking),
    )


def _missed(booking: Booking, hands: Hands, rights: Rights, now: datetime) -> Hand:
    balance = hands.balances[booking.pk]
    return Hand(
        icon_name="close",
        title=gettext("No-show"),
        text=gettext("You can waive the fee until then. After that it is charged or kept by itself."),
        sum=visit.money(balance.owed_minor, booking),
        since=_moment(booking.missed_at or booking.starts_at, booking),
        until=_until(booking.fee_settles_at, booking, now),
        actions=_allowed(
            rights,
            booking,
            (Act.WAIVE, gettext("Waive"), _step(booking, "waive")),
            (Act.MARK_MISSED, gettext("Undo no-show"), _step(booking, "came")),
        ),
        **about_of(booking),
    )


def _unmarked(booking: Booking, rights: Rights) -> Hand:
    return Hand(
        icon_name="clock",
        title=gettext("Completed or no-show?"),
        text=gettext("The visit is over. Mark it as completed or as a no-show."),
        sum="",
        since=_moment(booking.ends_at, booking),
        actions=_allowed(
            rights,
            booking,
            (Act.MARK_PROGRESS, gettext("Complete"), _step(booking, "complete")),
            (Act.MARK_MISSED, gettext("No-show"), _step(booking, "missed")),
        ),
        **about_of(booking),
    )


def _asking(message: HelpMessage, hands: Hands, rights: Rights) -> Hand:
    booking = hands.bookings[message.booking_id]
    text = message.text if len(message.text) <= _MOST_CHARACTERS else f"{message.text[:_MOST_CHARACTERS]}…"
    return Hand(
        icon_name="chat",
        title=gettext("Message from the customer"),
        text=f"“{text}”",
        sum="",
        since=_moment(message.created_at, booking),
        actions=_allowed(rights, booking, (Act.ANSWER, gettext("Reply"), _step(booking, "reply"))),
        **about_of(booking),
    )


def _text(text: InboundMessage, hands: Hands, rights: Rights) -> Hand:
    """Return the to-do of a text message, with the next booking of its phone number."""
    bookings = hands.by_number.get(text.address_hash, [])
    said = text.body if len(text.body) <= _MOST_CHARACTERS else f"{text.body[:_MOST_CHARACTERS]}…"
    words = f"“{said}”" if said.strip() else gettext("Without words, perhaps a picture.")
    if text.outcome == InboundOutcome.STOPPED:
        note = gettext("This number gets no more texts. If the visit is meant, cancel it on the page of the booking.")
        words = f"{words} {note}"
    if not bookings:
        words = f"{words} {gettext('No booking has this number: %(phone)s.') % {'phone': phone_text(text.sender)}}"
    elif len(bookings) > 1:
        others = len(bookings) - 1
        more = ngettext(
            "%(count)s more booking has this number.", "%(count)s more bookings have this number.", others
        ) % {"count": others}
        words = f"{words} {more}"
    steps: tuple[Do, ...] = ()
    if may_answer(rights, bookings):
        steps = (Do(gettext("Done"), reverse("desk_text_done", args=[text.pk]), is_post=True),)
        if text.outcome != InboundOutcome.STOPPED:
            steps += (Do(gettext("Send no more texts"), reverse("desk_text_stop", args=[text.pk]), is_post=True),)
    about = about_of(bookings[0]) if bookings else {}
    zone = bookings[0].location.time_zone if bookings else settings.TIME_ZONE
    return Hand(
        icon_name="chat",
        title=gettext("Text message"),
        text=words,
        sum="",
        since=formats.moment_text(text.received_at.astimezone(ZoneInfo(zone))),
        actions=steps,
        **about,
    )


def _proposal(proposal: ProposedChange) -> Hand:
    zone = proposal.zone_name or settings.TIME_ZONE  # type: ignore[attr-defined] # annotated in dashboard.todo
    return Hand(
        icon_name="edit",
        title=gettext("Proposed change"),
        text=gettext("%(name)s proposes: %(kind)s, %(what)s. Customers see it once you approve.")
        % {
            "name": proposal.proposed_by_name,
            "kind": ProposalKind(proposal.kind).label,
            "what": proposal.subject_name,
        },
        sum="",
        since=formats.moment_text(proposal.proposed_at.astimezone(ZoneInfo(zone))),
        actions=(Do(gettext("Compare"), reverse("desk_proposal", args=[proposal.pk])),),
    )


def _alert(alert: MoneyAlert, hands: Hands, rights: Rights) -> Hand:
    booking = hands.bookings.get(booking_id_of(alert) or 0)
    settle = Do(gettext("Settled"), reverse("desk_alert", args=[alert.pk]))
    actions: tuple[Do, ...] = (settle,) if may_settle(rights, booking) else ()
    if booking is None:
        since = formats.moment_text(alert.created_at)
        return Hand("alert", str(AlertKind(alert.kind).label), alert_text(alert), alert_sum(alert), since, actions)
    if alert.kind == AlertKind.REFUND_FAILED and alert.refund_id:
        url = f"{_step(booking, 'hand_back')}?refund={alert.refund_id}"
        actions = (*_allowed(rights, booking, (Act.RETURN_MONEY, gettext("Give it back"), url)), *actions)
    elif alert.kind in {AlertKind.CHARGE_FAILED, AlertKind.DISPUTE_LOST}:
        ways = [(Act.TAKE_MONEY, gettext("Take the money"), _step(booking, "take"))]
        if alert.kind == AlertKind.CHARGE_FAILED:
            ways.append((Act.WAIVE, gettext("Waive"), _step(booking, "waive")))
        actions = (*_allowed(rights, booking, *ways), *actions)
    return Hand(
        icon_name="alert",
        title=str(AlertKind(alert.kind).label),
        text=alert_text(alert),
        sum=alert_sum(alert),
        since=_moment(alert.created_at, booking),
        actions=actions,
        **about_of(booking),
    )


def _to_approve(refund: Refund, hands: Hands, rights: Rights, now: datetime) -> Hand:
    booking = hands.bookings[booking_id_of(refund) or 0]
    query = f"?refund={refund.pk}"
    is_late = refund.answer_by is not None and is_overdue(refund.answer_by, now)
    return Hand(
        icon_name="swap",
        title=gettext("Refund to approve"),
        text=gettext("The customer cancelled and waits for your answer. Nothing goes back before it."),
        sum=formats.money_text(refund.amount_minor, refund.currency),
        since=_moment(refund.created_at, booking),
        until="" if is_late else _promised(refund.answer_by, booking, now),
        late=_late(refund.answer_by, booking) if is_late else "",
        actions=_allowed(
            rights,
            booking,
            (Act.RETURN_MONEY, gettext("Approve"), f"{_step(booking, 'approve')}{query}"),
            (Act.RETURN_MONEY, gettext("Lower"), f"{_step(booking, 'lower')}{query}"),
            (Act.RETURN_MONEY, gettext("Decline"), f"{_step(booking, 'decline')}{query}"),
        ),
        **about_of(booking),
    )


def _to_hand_back(refund: Refund, hands: Hands, rights: Rights) -> Hand:
    booking = hands.bookings[booking_id_of(refund) or 0]
    url = f"{_step(booking, 'hand_back')}?refund={refund.pk}"
    return Hand(
        icon_name="card",
        title=gettext("Money to hand back"),
        text=gettext("Paid by %(way)s. Hand it back, then write it down here.")
        % {"way": str(Method(refund.method).label)},
        sum=formats.money_text(refund.amount_minor, refund.currency),
        since=_moment(refund.created_at, booking),
        actions=_allowed(rights, booking, (Act.RETURN_MONEY, gettext("Hand it back"), url)),
        **about_of(booking),
    )


def about_of(booking: Booking) -> dict[str, str]:
    """Return the customer, the time and service, and the address of a booking."""
    return {
        "name": visit.customer_name(booking),
        "about": f"{visit.when_text(booking)} · {day.what_and_who(booking)}",
        "url": reverse("desk_booking", args=[booking.reference]),
    }


def _allowed(rights: Rights, booking: Booking, *wanted: tuple[Act, str, str]) -> tuple[Do, ...]:
    return tuple(
        Do(label, f"{url}{'&' if '?' in url else '?'}back=hands")
        for act, label, url in wanted
        if can(rights, act, booking)
    )


def _step(booking: Booking, name: str) -> str:
    return reverse(f"desk_booking_{name}", args=[booking.reference])


def _moment(at: datetime, booking: Booking) -> str:
    return formats.moment_text(local(at, booking))


def _until(at: datetime | None, booking: Booking, now: datetime) -> str:
    """Return text such as "in 3 hours, until Fri 27 Nov, 14:30"."""
    if at is None:
        return ""
    left = formats.until_text(max(1, int((at - now) / timedelta(minutes=1))))
    return gettext("ends %(left)s, %(moment)s") % {"left": left, "moment": _moment(at, booking)}


def _promised(at: datetime | None, booking: Booking, now: datetime) -> str:
    """Return text such as "Answer in 3 hours, Fri 27 Nov, 14:30"."""
    if at is None:
        return ""
    left = formats.until_text(max(1, int((at - now) / timedelta(minutes=1))))
    return gettext("answer %(left)s, %(moment)s") % {"left": left, "moment": _moment(at, booking)}


def _late(at: datetime | None, booking: Booking) -> str:
    return gettext("late, promised for %(moment)s") % {"moment": _moment(at, booking)} if at else ""


_ALERTS: dict[AlertKind, Callable[[], str]] = {
    AlertKind.REFUND_FAILED: lambda: gettext("The bank sent the money back to us. Give it back by another way."),
    AlertKind.CHARGE_FAILED: lambda: gettext(
        "The card on file was refused. The customer can pay by a link; or take it at the desk, or waive it."
    ),
    AlertKind.LATE_PAYMENT: lambda: gettext(
        "The time is taken now. The money goes back by itself. Perhaps call and offer another time."
    ),
    AlertKind.AMOUNT_DIFFERS: lambda: gettext("Compare it with the payment provider and put the booking right."),
    AlertKind.UNKNOWN_MONEY: lambda: gettext("Find out at the payment provider whose it is, or give it back there."),
    AlertKind.WRONG_ACCOUNT: lambda: gettext("Check which account and which mode the payment provider calls us from."),
    AlertKind.DISPUTE: lambda: gettext(
        "Answer at the payment provider before its deadline. No further fees are charged to this card."
    ),
    AlertKind.DISPUTE_LOST: lambda: gettext(
        "The payment counts as returned, and what it paid for is open again. Take it another way, or let it go."
    ),
    AlertKind.EXTERNAL_REFUND: lambda: gettext(
        "It makes no debt: the price, or the fee, was lowered by as much. Check that this is what was agreed."
    ),
    AlertKind.REFUND_WAITS: lambda: gettext("Approve, lower or decline it on the page of the booking."),
    AlertKind.STUCK: lambda: gettext("We go on asking. Look at the payment provider whether it has an outage."),
}
