"""Errors of booking operations. Each has a stable code and a sentence that a customer may read.

A sentence says what happened, what is still true, and what to do now. Ids and names stay out of it; facts that a page
may want to show are in ``data``.
"""

from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, Expired, Locked, Refused, TooMany


class _Worded(DomainError):
    """An error whose sentence belongs to its class."""

    text: ClassVar[str | Promise]

    def __init__(self, **data: Any) -> None:
        super().__init__(self.text, **data)


# --- taking time ---------------------------------------------------------------------------------------------------


class SlotTaken(_Worded, Conflict):
    """Another booking has the time.

    ``data["alternatives"]``: the nearest free starts as (location id, epoch minute).
    """

    code = "slot_taken"
    text = _("That time was just taken. Nothing was booked. Please pick another time.")


class SlotNotOffered(_Worded, Refused):
    """The start is not offered. ``data["rule"]`` is the code of the rule that refuses it."""

    code = "slot_not_offered"
    status = 409
    text = _("That time cannot be booked any more. Nothing was booked. Please pick another time.")


class ExtrasDoNotFit(_Worded, Conflict):
    """The longer visit would overlap with another booking, or break a rule."""

    code = "extras_do_not_fit"
    text = _("That extra does not fit. Your time is still held without it. Go back out, or pick another time.")


class HoldExpired(_Worded, Expired):
    code = "hold_expired"
    text = _("The time we held for you has run out. Nothing was booked. If it is still free, you can take it again.")


class HoldOver(_Worded, Conflict):
    """The hold has become a booking, so it can no longer be changed as a hold."""

    code = "hold_over"
    text = _("This is already booked. Nothing was changed. You find the booking in your confirmation e-mail.")


class TooManyHolds(_Worded, TooMany):
    code = "too_many_holds"
    text = _("You are already holding several times. Please book one of them, or wait until one runs out.")


class BookingPaused(_Worded, Refused):
    """Online booking is switched off. ``data["message"]`` is the business's own sentence, perhaps empty."""

    code = "booking_paused"
    text = _("Online booking is paused at the moment. Nothing was booked. Please try again later or contact us.")


class ServiceNotOffered(_Worded, Refused):
    """The service, its variant, an extra, the location or the staff member cannot be booked online (any more)."""

    code = "service_not_offered"
    status = 409
    text = _("This cannot be booked online any more. Nothing was booked. Please choose again.")


class PartyTooLarge(_Worded, Refused):
    """``data["maximum"]`` is the largest number of people."""

    code = "party_too_large"
    text = _("That is more people than can come at once. Please choose a smaller number.")


class WalkInOver(_Worded, Conflict):
    """A person of the walk-in queue was booked already, or has left."""

    code = "walk_in_over"
    text = _("This person is no longer waiting. Nothing was changed.")


class CannotBookOnline(_Worded, Refused):
    """The business takes no online bookings from this customer. The sentence gives no reason, on purpose."""

    code = "cannot_book_online"
    text = _("We cannot take this booking online. Nothing was booked. Please call us.")


class AlreadyThatTime(_Worded, Conflict):
    """The customer has another booking at that time. Some book two on purpose, so the page asks and does not refuse."""

    code = "already_that_time"
    text = _(
        "You already have an appointment at this time. Nothing was booked yet: press the button once more if you want "
        "a second one."
    )


class TooManyUnproven(_Worded, TooMany):
    """This mailbox has received the most mails that may ask it to confirm a booking."""

    code = "too_many_unproven"
    text = _(
        "We have sent several e-mails to this address already. Nothing was booked yet. Please use the link in one of "
        "them, or call us."
    )


class TooSoonForLink(_Worded, Refused):
    """The visit begins so soon that a customer could not use the link in time."""

    code = "too_soon_for_link"
    text = _("This visit begins too soon for a link. Nothing was sent. Book it here while the customer is with you.")


class NoLinkForBlocked(_Worded, Refused):
    """The business takes no online bookings from this customer, so the link would lead nowhere."""

    code = "no_link_for_blocked"
    text = _("This customer may not book online, so nothing was sent. You can still book for them here.")


class TooManyLinks(_Worded, TooMany):
    """This user has sent the most links that may wait at once."""

    code = "too_many_links"
    text = _("Many links that you sent are still waiting. Nothing was sent. Free one of those times first.")


class LinkSentOften(_Worded, TooMany):
    """This link has been sent the most times."""

    code = "link_sent_often"
    text = _("This link was sent several times already. Call the customer, or finish the booking here.")


class Busy(_Worded, Locked):
    """Other transactions held the needed locks for too long."""

    code = "busy"
    text = _("Many people are booking at this moment. Nothing was changed. Please try again.")


# --- bookings that exist -------------------------------------------------------------------------------------------


class WrongStatus(_Worded, Conflict):
    """The booking is in a status that does not allow this step. ``data``: from_status, to_status."""

    code = "wrong_status"
    text = _("This booking has changed in the meantime. Nothing was done. Please look at it again.")


class StalePage(_Worded, Conflict):
    """The booking changed after the page was shown. ``data``: starts_at, sequence and fee_minor as they are now."""

    code = "stale_page"
    text = _("This booking has changed since you opened the page. Nothing was done. Please check it and confirm again.")


class AlreadyCancelled(_Worded, Conflict):
    code = "already_cancelled"
    text = _("This booking is already cancelled. There is nothing more to do.")


class NotBooked(_Worded, Refused):
    """The booking was never confirmed: it is held, declined or expired."""

    code = "not_booked"
    text = _("This was never booked, so there is nothing to change. You are welcome to pick a time.")


class TooLateToCancel(_Worded, Refused):
    code = "too_late_to_cancel"
    text = _("It is too late to cancel this online. The booking stands. Please contact us.")


class TooLateToMove(_Worded, Refused):
    code = "too_late_to_move"
    text = _("It is too late to move this online. The booking stands. Please contact us.")


class MoveLimitReached(_Worded, Refused):
    code = "move_limit_reached"
    text = _("This booking cannot be moved any more. It stands as it is. Please contact us if you cannot come.")


class TooManyMoves(_Worded, TooMany):
    """The link on the screen has moved the booking too often.

    Each move is mailed to an address whose owner has not acted on a mail yet.
    """

    code = "too_many_moves"
    text = _(
        "This booking was moved several times within an hour. It stands as it is. Please use the link in your e-mail, "
        "or wait an hour."
    )


class SameTime(_Worded, Refused):
    code = "same_time"
    text = _("That is the time you have already. Nothing was changed.")


class SeveralServices(_Worded, Refused):
    """The visit has several services, and this operation supports only one."""

    code = "several_services"
    status = 409
    text = _(
        "This visit has several services, so it cannot be changed in this way. Nothing was changed. Please contact us, "
        "or cancel it and book again."
    )


class TooLateToUndo(_Worded, Refused):
    code = "too_late_to_undo"
    status = 409
    text = _(
        "A minute has passed, so the move can no longer be undone: its messages are on their way. Nothing was changed. "
        "Move the booking back instead."
    )


class ChangedSinceMove(_Worded, Conflict):
    """The booking was moved again, cancelled or begun since staff moved it, or staff did not move it."""

    code = "changed_since_move"
    text = _("This booking has changed since it was moved, so the move cannot be undone. Nothing was changed.")


class FormerTimeTaken(_Worded, Conflict):
    """Another booking, a daily limit or an absence has taken the time that a booking had before it was moved."""

    code = "former_time_taken"
    text = _("The former time is taken by now, so the move was not undone. The booking stays at its new time.")


class LengthDoesNotFit(_Worded, Conflict):
    """Another booking, an absence or a rule has the time that the longer visit needs."""

    code = "length_does_not_fit"
    text = _("The visit does not fit with this length. Nothing was changed. Choose another length, or move it first.")


class LengthNotOffered(_Worded, Refused):
    """The staff member does not perform this variant, or the visit cannot be so short or so long."""

    code = "length_not_offered"
    status = 409
    text = _("This length is not possible for this visit. Nothing was changed. Please choose another one.")


class NoLengthReason(_Worded, Refused):
    """Staff chose a length of their own without a reason for the history."""

    code = "no_length_reason"
    text = _("A length by hand needs a reason, for the history. Nothing was changed.")


class SameLength(_Worded, Refused):
    code = "same_length"
    text = _("The visit has that length already. Nothing was changed.")


class VisitBegun(_Worded, Refused):
    """The visit has begun, or is over."""

    code = "visit_begun"
    status = 409
    text = _("The visit has begun or is over, so its length stays. Nothing was changed.")


class StaffFixed(_Worded, Refused):
    """The customer chose a certain staff member, so only the business may assign another one."""

    code = "staff_fixed"
    text = _("This booking stays with the person you chose. Nothing was changed. Please contact us to change that.")


# --- money -----------------------------------------------------------------------------------------------------------


class NothingToPay(_Worded, Conflict):
    """Nothing can be paid online by this customer now."""

    code = "nothing_to_pay"
    text = _("There is nothing to pay at the moment. Please look at the booking again.")


class FeeBeingPaid(_Worded, Conflict):
    """The customer has begun to pay the fee, or the bank refused the card; that payment is being cancelled first."""

    code = "fee_being_paid"
    text = _("The customer began to pay this online, or the card was refused. That is being ended: try again soon.")


class TooEarlyToCharge(_Worded, Conflict):
    """The customer was promised that no money moves before ``data["until"]``."""

    code = "too_early_to_charge"
    text = _("The customer was told that nothing is charged yet. The card can be charged once that time is over.")


class PayFirst(_Worded, Refused):
    """The move has a fee that must be paid online before the time changes. ``data["fee_minor"]`` is the fee."""

    code = "pay_first"
    text = _("This move has a fee that is paid first. Nothing was changed yet. Please pay the fee to move.")


class AmountTooLarge(_Worded, Refused):
    """``data["open_minor"]`` is the largest amount allowed."""

    code = "amount_too_large"
    text = _("That is more than what is open. Nothing was written down. Please check the amount.")


class NoSuchPayment(_Worded, Refused):
    """The payment or refund does not belong to this booking."""

    code = "no_such_payment"
    text = _("This payment does not belong to this booking. Nothing was changed.")


class NothingToWaive(_Worded, Refused):
    """``data["fee_minor"]`` is the fee that is left, perhaps 0."""

    code = "nothing_to_waive"
    text = _("There is no fee of that amount to waive. Nothing was changed.")


class NoWaiverReason(_Worded, Refused):
    """Staff ask a customer for less than the terms do, without a reason for the history."""

    code = "no_waiver_reason"
    text = _("This asks for less than your rules do. Nothing was booked. Please say why, for the history.")


class NothingToAnswer(_Worded, Conflict):
    """The booking is no longer a request: it was answered, cancelled, or has expired."""

    code = "nothing_to_answer"
    text = _("This request is no longer waiting for an answer. Nothing was changed. Please look at it again.")


class NotWaitingForPayment(_Worded, Conflict):
    code = "not_waiting_for_payment"
    text = _("This booking is not waiting for a payment any more. Nothing was changed. Please look at it again.")


class CannotMarkMissed(_Worded, Refused):
    """The visit cannot be marked as missed. ``data["why"]`` is a ``NoShowRefusal``."""

    code = "cannot_mark_missed"
    text = _("This booking cannot be marked as a no-show now. Nothing was changed.")


class CannotMarkVisit(_Worded, Refused):
    """The visit is on a later day, or the booking's status does not allow this step."""

    code = "cannot_mark_visit"
    status = 409
    text = _("This cannot be marked for this visit now. Nothing was changed. Please look at the booking again.")


class CannotUndoMissed(_Worded, Refused):
    """It is too late to undo the no-show, or there is none. ``data["why"]`` is a ``NoShowRefusal``."""

    code = "cannot_undo_missed"
    text = _("The no-show can no longer be undone. Nothing was changed.")


class TooManyMessages(_Worded, TooMany):
    code = "too_many_messages"
    text = _("You have written several messages already. We answer as soon as we can. If it is urgent, please call us.")


class TooManyTries(_Worded, TooMany):
    """Too many cards were tried, by a person or by a script."""

    code = "too_many_tries"
    text = _(
        "Paying was tried several times and did not work. Please wait ten minutes, or write to us on this page. "
        "You were not charged."
    )


class NoteChanged(_Worded, Conflict):
    """Another page saved the session note meanwhile. ``data``: its ``text``, ``version`` and ``author_name``."""

    code = "note_changed"
    text = _("This note was changed on another page. Nothing was overwritten: please bring both texts together.")


class CannotWriteNote(_Worded, Refused):
    """The booking is cancelled or was never confirmed, or has too many open follow-ups."""

    code = "cannot_write_note"
    text = _("Nothing can be written down for this booking. It may have been cancelled, or its list is full.")


# --- the business's own changes --------------------------------------------------------------------------------------


class MoreOutsideHours(_Worded, Conflict):
    """A change of hours hits a booking that the page did not list."""

    code = "more_outside_hours"
    text = _("Another booking would be outside the hours since you opened the page. Nothing was saved. See the list.")


class InUse(_Worded, Refused):
    """An object that bookings ahead need cannot be deleted or archived. ``data["references"]`` lists these bookings."""

    code = "in_use"
    text = _("There are bookings ahead that need this. Nothing was changed. Please move or cancel them first.")


class ProposalDecided(_Worded, Conflict):
    """An owner approved or rejected the proposal, or its author withdrew it."""

    code = "proposal_decided"
    text = _("This proposal was decided meanwhile. Nothing was changed now.")


class ProposalOutdated(_Worded, Conflict):
    """The catalogue is not what the page showed. ``data["keys"]``: what changed, for a proposal that is being made."""

    code = "proposal_outdated"
    text = _("This changed while the page was open. Nothing was saved yet. Please check it, then try again.")


class NothingProposed(_Worded, Refused):
    code = "nothing_proposed"
    text = _("Nothing is different from what customers see now. Change something first.")


class ProposalUnfit(Refused):
    """The catalogue cannot take the proposed values. The sentence says why."""

    code = "proposal_unfit"


class BookingsOutside(_Worded, Conflict):
    """Bookings ahead would lie outside the hours. ``data["booking_ids"]``: these bookings, the soonest first."""

    code = "bookings_outside"
    text = _("Nothing is saved yet. Bookings ahead would lie outside the new hours.")
