"""Actions on the visit and the customer: no-show, cancelling, requests, messages, trust."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from bookings.booked import fee_facts, local
from bookings.enums import BookingStatus
from bookings.operations.cancel import cancel_booking
from bookings.operations.help import answer_help, mark_help_read
from bookings.operations.no_show import mark_no_show, undo_no_show
from bookings.operations.request_answer import answer_request
from bookings.operations.trust import set_trust
from bookings.queries.help_messages import help_thread
from bookings.rules.cancelling import cancel_refusal
from bookings.rules.fees import cancellation_fee
from bookings.rules.no_shows import markable_from, markable_until, no_show_fee
from bookings.rules.terms import Terms
from core import formats
from dashboard import queries
from dashboard.door import Desk
from dashboard.forms import AnswerForm, CancelForm, MissedForm, ReasonForm, ReplyForm, StepForm, TrustForm
from dashboard.presenters import confirmations as words
from dashboard.views.booking_actions import Opened, Step, answer, open_step, refused
from dashboard.views.pages import desk_page

_methods = require_http_methods(["GET", "HEAD", "POST"])


@_methods
@desk_page
def missed(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Mark a no-show, from 15 minutes after the start on."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    if reason := _not_markable(opened):
        return refused(opened, reason)
    facts = fee_facts(booking)
    fee = no_show_fee(facts, is_first=False)

    def run(form: MissedForm, key: str) -> str:
        mark_no_show(
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            actor=desk.actor,
            now=desk.now,
            reason=form.cleaned_data["reason"],
        )
        return gettext("Marked as no-show. The customer gets an e-mail.")

    step = Step(lambda form: words.missed(booking, fee, facts.terms.waiver_hours), run)
    return answer(opened, MissedForm(opened.data), step)


@_methods
@desk_page
def came(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Undo a no-show."""
    opened = open_step(request, desk, reference)
    if opened.booking.status != BookingStatus.NO_SHOW:
        return refused(opened, gettext("This booking is not marked as no-show."))

    def run(form: ReasonForm, key: str) -> str:
        reason = form.cleaned_data["reason"]
        undo_no_show(
            booking_id=opened.booking.pk,
            expected_sequence=opened.booking.ical_sequence,
            actor=desk.actor,
            now=desk.now,
            reason=reason,
        )
        return gettext("The no-show is undone.")

    return answer(opened, ReasonForm(opened.data), Step(lambda form: words.came(opened.booking), run))


@_methods
@desk_page
def cancel(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Cancel a booking for the business, or for the customer by the rules at the moment of their call."""
    opened = open_step(request, desk, reference)
    booking, money = opened.booking, opened.money
    refusal = cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=desk.now, by_staff=True)
    if refusal:
        return refused(opened, gettext("This booking cannot be cancelled any more."))

    def fee_at(at: datetime) -> int:
        return cancellation_fee(fee_facts(booking), at)

    def ask(form: StepForm | None) -> words.Ask:
        if not isinstance(form, CancelForm):
            who, fee, at = "", 0, desk.now
        else:
            who, fee, at = form.cleaned_data["who"], form.fee_minor, form.cleaned_data["called_at"]
        return words.cancel(booking, money, who=who, fee_minor=fee, fee_of_call_minor=fee_at(at))

    def run(form: CancelForm, key: str) -> str:
        cancel_booking(
            booking_id=booking.pk,
            expected_sequence=booking.ical_sequence,
            expected_fee_minor=form.fee_minor,
            actor=desk.actor,
            now=desk.now,
            reason=form.cleaned_data["reason"],
            on_behalf=form.on_behalf,
            at=form.cleaned_data["called_at"] if form.on_behalf else None,
            waive=form.on_behalf and not form.cleaned_data["takes_fee"],
        )
        if not booking.contact_email:
            return gettext("The booking is cancelled. The customer gave no e-mail address: please tell them yourself.")
        return gettext("The booking is cancelled, and everyone involved gets an e-mail.")

    with timezone.override(ZoneInfo(booking.location.time_zone)):
        form = CancelForm(
            opened.data,
            fee_at=fee_at,
            now=desk.now,
            initial={"called_at": desk.now, "takes_fee": True},
        )
        notes = words.cancel_notes(booking, money, fee_at(desk.now))
        return answer(opened, form, Step(ask, run, context={"notes": notes}))


@_methods
@desk_page
def request_answer(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Accept or decline a request."""
    opened = open_step(request, desk, reference)
    if opened.booking.status != BookingStatus.REQUESTED:
        return refused(opened, gettext("This booking is not waiting for an answer."))

    def run(form: AnswerForm, key: str) -> str:
        accept = form.cleaned_data["answer"] == "accept"
        reason = form.cleaned_data["reason"]
        answer_request(booking_id=opened.booking.pk, accept=accept, reason=reason, actor=desk.actor, now=desk.now)
        return gettext("Accepted. The customer gets an e-mail.") if accept else gettext("Declined. The time is free.")

    return answer(opened, AnswerForm(opened.data), Step(lambda form: words.request(opened.booking), run))


@_methods
@desk_page
def reply(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Write to a customer, or answer their message to the front desk."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    thread = help_thread(booking)
    is_waiting = any(message.is_from_customer and message.read_at is None for message in thread)

    def run(form: ReplyForm, key: str) -> str:
        if form.cleaned_data["answer"] == "read":
            mark_help_read(booking_id=booking.pk, now=desk.now)
            return gettext("Taken off the list.")
        answer_help(booking_id=booking.pk, text=form.cleaned_data["text"].strip(), actor=desk.actor, now=desk.now)
        return gettext("Your message is on its way.")

    step = Step(
        lambda form: words.reply(booking, is_waiting=is_waiting),
        run,
        context={"conversation": words.conversation(thread, booking)},
    )
    return answer(opened, ReplyForm(opened.data), step)


@_methods
@desk_page
def trust(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Block a customer from booking online, or never ask them to pay in advance."""
    opened = open_step(request, desk, reference)
    customer = queries.customer_of(opened.booking)
    if customer is None:
        return refused(opened, gettext("This booking has no e-mail address, so the customer cannot be recognised."))

    def run(form: TrustForm, key: str) -> str:
        set_trust(booking_id=opened.booking.pk, actor=desk.actor, now=desk.now, **form.cleaned_data)
        return gettext("It counts from now on.")

    form = TrustForm(opened.data, initial=TrustForm.initial_of(customer))
    return answer(opened, form, Step(lambda form: words.trust(opened.booking), run))


def _not_markable(opened: Opened) -> str:
    """Return why staff cannot mark a no-show now; empty if they can."""
    booking, now = opened.booking, opened.desk.now
    if booking.status != BookingStatus.CONFIRMED:
        return gettext("Only a booking that stands can be marked as no-show.")
    first = markable_from(Terms.from_json(booking.terms), booking.starts_at)
    if now < first:
        return gettext("That can be marked from %(time)s on.") % {"time": formats.moment_text(local(first, booking))}
    if now > markable_until(booking.starts_at):
        return gettext("The time to mark it ended 14 days after the visit.")
    return ""
