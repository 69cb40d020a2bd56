"""Actions that move money: payments, refunds, waivers, charges and payment links."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from bookings.booked import local
from bookings.enums import FEE_OWING, STANDING, BookingStatus
from bookings.models import Booking
from bookings.operations import desk_payment as operations
from bookings.operations import desk_refund
from bookings.operations.fees import charge_fee, waive_fee
from bookings.operations.refund_decision import decide_refund
from bookings.queries.payables import payable
from core import formats
from dashboard import queries
from dashboard.door import Desk
from dashboard.forms import (
    DeclineForm,
    DiscountForm,
    HandBackForm,
    LowerForm,
    ReasonForm,
    RefundForm,
    StepForm,
    SumForm,
    TakeForm,
    WaiveForm,
)
from dashboard.presenters import confirmations as words
from dashboard.views.booking_actions import Opened, Step, answer, back, open_step, refused
from dashboard.views.pages import desk_page
from payments.enums import Method
from payments.errors import ProviderFailed
from payments.models import Refund
from payments.stripe.amounts import chargeable

_methods = require_http_methods(["GET", "HEAD", "POST"])


@_methods
@desk_page
def take(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Record a payment by cash, card terminal or bank transfer."""
    opened = open_step(request, desk, reference)
    booking, most = opened.booking, opened.money.balance.open_minor
    if not most:
        return refused(opened, gettext("Nothing is open, so there is nothing to take."))
    asked = min(booking.due_now_minor, most) if booking.status == BookingStatus.PENDING_PAYMENT else most
    method = request.GET.get("method", Method.CASH)
    form = TakeForm(
        opened.data, currency=booking.currency, most_minor=most, initial={"amount": asked or most, "method": method}
    )

    def run(form: TakeForm, key: str) -> str:
        amount = form.cleaned_data["amount"]
        operations.record_payment(
            booking_id=booking.pk,
            method=Method(form.cleaned_data["method"]),
            amount_minor=amount,
            note=form.cleaned_data["note"],
            request_key=key,
            actor=desk.actor,
            now=desk.now,
        )
        return gettext("%(sum)s is recorded.") % {"sum": words.sum_of(amount, booking)}

    return answer(opened, form, Step(lambda form: words.take(booking, opened.money, _amount(form, asked or most)), run))


@_methods
@desk_page
def refund(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Refund a payment, in full or in part, to where it came from."""
    opened = open_step(request, desk, reference)
    booking, left = opened.booking, words.left_of_payments(opened.money)
    payments = {payment.pk: payment for payment in opened.money.attempts}
    if not left:
        return refused(opened, gettext("No payment has anything left that could go back."))
    wanted = _wanted(request.GET.get("payment", ""), left)
    form = RefundForm(
        opened.data,
        currency=booking.currency,
        left=left,
        texts={pk: words.payment_text(payments[pk], left[pk], booking) for pk in left},
        asks_owed=booking.status in STANDING | FEE_OWING,
        initial={"payment": wanted, "amount": left.get(wanted, 0)},
    )

    def ask(form: StepForm | None) -> words.Ask:
        chosen = form.cleaned_data["payment"] if form else wanted
        return words.refund(booking, payments[chosen], _amount(form, left.get(chosen, 0)))

    def run(form: RefundForm, key: str) -> str:
        payment = payments[form.cleaned_data["payment"]]
        desk_refund.refund(
            booking_id=booking.pk,
            payment_id=payment.pk,
            amount_minor=form.cleaned_data["amount"],
            method=Method(payment.method),
            reason=form.cleaned_data["reason"],
            request_key=key,
            actor=desk.actor,
            now=desk.now,
            is_still_owed=form.cleaned_data.get("is_still_owed", True),
        )
        total = words.sum_of(form.cleaned_data["amount"], booking)
        if payment.method == Method.STRIPE:
            return gettext("%(sum)s is on its way back.") % {"sum": total}
        return gettext("%(sum)s is recorded as given back.") % {"sum": total}

    return answer(opened, form, Step(ask, run))


@_methods
@desk_page
def discount(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Lower the price of a booking."""
    opened = open_step(request, desk, reference)
    booking, most = opened.booking, opened.booking.total_minor
    if booking.status not in STANDING or not most:
        return refused(opened, gettext("This booking has no price that could be lowered."))
    form = DiscountForm(opened.data, currency=booking.currency, most_minor=most)

    def run(form: DiscountForm, key: str) -> str:
        amount, reason = form.cleaned_data["amount"], form.cleaned_data["reason"]
        operations.lower_price(
            booking_id=booking.pk, amount_minor=amount, reason=reason, actor=desk.actor, now=desk.now
        )
        return gettext("The price is lowered by %(sum)s.") % {"sum": words.sum_of(amount, booking)}

    return answer(opened, form, Step(lambda form: words.discount(booking, _amount(form, 0)), run))


@_methods
@desk_page
def hand_back(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Confirm that a refund was handed over: of money taken at the desk, or one that the bank could not return."""
    opened = open_step(request, desk, reference)
    wanted = request.POST.get("refund") or request.GET.get("refund") or ""
    found = queries.refund_to_hand_back(opened.booking, wanted)
    if found is None:
        return refused(opened, gettext("There is no money to hand back any more."))
    refund = found
    form = HandBackForm(
        opened.data, initial={"method": Method.CASH if refund.method == Method.STRIPE else refund.method}
    )

    def run(form: HandBackForm, key: str) -> str:
        desk_refund.hand_back(
            booking_id=opened.booking.pk,
            refund_id=refund.pk,
            method=Method(form.cleaned_data["method"]),
            note=form.cleaned_data["note"],
            actor=desk.actor,
            now=desk.now,
        )
        return gettext("%(sum)s is handed back.") % {"sum": words.sum_of(refund.amount_minor, opened.booking)}

    step = Step(lambda form: words.hand_back(opened.booking, refund), run, context={"refund_id": refund.pk})
    return answer(opened, form, step)


@_methods
@desk_page
def approve(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Approve a refund in full."""
    opened, refund = _waiting(request, desk, reference)
    if refund is None:
        return refused(opened, gettext("This refund is no longer waiting for approval."))
    waiting = refund

    def run(form: StepForm, key: str) -> str:
        _decide(opened, waiting, waiting.amount_minor, "")
        return gettext("%(sum)s is approved.") % {"sum": words.sum_of(waiting.amount_minor, opened.booking)}

    step = Step(lambda form: words.approve(opened.booking, waiting), run, context={"refund_id": waiting.pk})
    return answer(opened, StepForm(opened.data), step)


@_methods
@desk_page
def lower(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Approve a smaller refund, with a reason."""
    opened, refund = _waiting(request, desk, reference)
    if refund is None:
        return refused(opened, gettext("This refund is no longer waiting for approval."))
    waiting, booking = refund, opened.booking
    form = LowerForm(
        opened.data, currency=booking.currency, most_minor=waiting.amount_minor - 1, language=_language(booking)
    )

    def run(form: LowerForm, key: str) -> str:
        amount = form.cleaned_data["amount"]
        _decide(opened, waiting, amount, form.cleaned_data["reason"])
        return gettext("%(sum)s is approved. The customer gets an e-mail with your reason.") % {
            "sum": words.sum_of(amount, booking)
        }

    step = Step(lambda form: words.lower(booking, waiting, _amount(form, 0)), run, context={"refund_id": waiting.pk})
    return answer(opened, form, step)


@_methods
@desk_page
def decline(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Decline a refund, with a reason."""
    opened, refund = _waiting(request, desk, reference)
    if refund is None:
        return refused(opened, gettext("This refund is no longer waiting for approval."))
    waiting = refund

    def run(form: DeclineForm, key: str) -> str:
        _decide(opened, waiting, 0, form.cleaned_data["reason"])
        return gettext("The refund is declined. The customer gets an e-mail with your reason.")

    step = Step(lambda form: words.decline(opened.booking, waiting), run, context={"refund_id": waiting.pk})
    return answer(opened, DeclineForm(opened.data, language=_language(opened.booking)), step)


@_methods
@desk_page
def waive(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Waive a fee, or a part of it."""
    opened = open_step(request, desk, reference)
    booking, left = opened.booking, opened.money.fee_minor
    if not left:
        return refused(opened, gettext("There is no fee that could be waived."))
    form = WaiveForm(opened.data, currency=booking.currency, most_minor=left, initial={"amount": left})

    def run(form: WaiveForm, key: str) -> str:
        amount = form.cleaned_data["amount"]
        waive_fee(
            booking_id=booking.pk,
            amount_minor=amount,
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
            now=desk.now,
        )
        return gettext("%(sum)s is waived.") % {"sum": words.sum_of(amount, booking)}

    return answer(opened, form, Step(lambda form: words.waive(booking, left, _amount(form, left)), run))


@_methods
@desk_page
def charge(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Charge the open part of a fee to the card on file, once the time for waiving it is over."""
    opened = open_step(request, desk, reference)
    money = opened.money
    most = min(money.balance.open_minor, money.card.cap_minor) if money.card and money.fee_minor else 0
    amount = chargeable(most, opened.booking.currency)
    if not amount:
        return refused(opened, gettext("There is no open fee, or no card that may be charged for it."))
    if (until := opened.booking.fee_settles_at) and desk.now < until:
        sentence = gettext("The customer was told that nothing is charged before %(moment)s. Charge it after that.")
        return refused(opened, sentence % {"moment": formats.moment_text(local(until, opened.booking))})

    def run(form: StepForm, key: str) -> str:
        payment = charge_fee(booking_id=opened.booking.pk, actor=desk.actor, now=desk.now)
        return gettext("%(sum)s is being charged.") % {"sum": words.sum_of(payment.amount_minor, opened.booking)}

    return answer(opened, StepForm(opened.data), Step(lambda form: words.charge(opened.booking, money, amount), run))


@_methods
@desk_page
def stand(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Confirm a booking without the payment or card that it waits for."""
    opened = open_step(request, desk, reference)
    booking = opened.booking
    if booking.status != BookingStatus.PENDING_PAYMENT:
        return refused(opened, gettext("This booking is not waiting for a payment."))

    def run(form: ReasonForm, key: str) -> str:
        reason = form.cleaned_data["reason"]
        operations.waive_payment(booking_id=booking.pk, reason=reason, actor=desk.actor, now=desk.now)
        return gettext("The booking stands. The customer gets an e-mail.")

    return answer(opened, ReasonForm(opened.data), Step(lambda form: words.stand(booking), run))


@_methods
@desk_page
def link(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """E-mail the customer a link to pay what they can pay online now."""
    opened = open_step(request, desk, reference)
    due = payable(opened.booking, desk.now)
    if due is None or not opened.booking.contact_email:
        return refused(opened, gettext("Nothing can be paid online for this booking now."))
    payable_now = due

    def run(form: StepForm, key: str) -> str:
        operations.send_pay_link(booking_id=opened.booking.pk, actor=desk.actor, now=desk.now)
        return gettext("The link is on its way to %(email)s.") % {"email": opened.booking.contact_email}

    return answer(opened, StepForm(opened.data), Step(lambda form: words.link(opened.booking, payable_now), run))


@require_POST
@desk_page
def check(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Ask Stripe now about pending payments."""
    opened = open_step(request, desk, reference)
    try:
        operations.refresh_payments(booking_id=opened.booking.pk, now=desk.now)
    except ProviderFailed:
        messages.error(request, gettext("The payment provider does not answer. We go on asking by ourselves."))
    else:
        messages.success(request, gettext("Asked just now. What you see is what the payment provider says."))
    return back(opened)


def _waiting(request: HttpRequest, desk: Desk, reference: str) -> tuple[Opened, Refund | None]:
    """Return the booking and the refund of the page, or None for a refund that no longer awaits approval."""
    opened = open_step(request, desk, reference)
    wanted = request.POST.get("refund") or request.GET.get("refund") or ""
    found = (each for each in words.waiting_refunds(opened.money) if str(each.pk) == wanted)
    return opened, next(found, None)


def _decide(opened: Opened, refund: Refund, amount_minor: int, reason: str) -> None:
    decide_refund(
        booking_id=opened.booking.pk,
        refund_id=refund.pk,
        expected_minor=refund.amount_minor,
        amount_minor=amount_minor,
        reason=reason,
        actor=opened.desk.actor,
        now=opened.desk.now,
    )


def _language(booking: Booking) -> str:
    return str(dict(settings.LANGUAGES).get(booking.language, booking.language))


def _amount(form: StepForm | None, otherwise: int) -> int:
    return form.cleaned_data["amount"] if isinstance(form, SumForm) else otherwise


def _wanted(typed: str, left: dict[int, int]) -> int:
    chosen = int(typed) if typed.isdecimal() and len(typed) <= queries.LONGEST_ID else 0
    return chosen if chosen in left else next(iter(left), 0)
