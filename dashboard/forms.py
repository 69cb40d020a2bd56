"""Forms of the desk, turned into the values that operations take."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Customer
from core.formats import money_text
from core.forms import MoneyField
from payments.enums import Method

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_LONGEST_DAYS = 366
AT_DESK = [
    (Method.CASH, _("Cash")),
    (Method.TERMINAL, _("Card terminal")),
    (Method.TRANSFER, _("Bank transfer")),
]


def _note_for_us(*, required: bool = True) -> forms.CharField:
    """A reason that only staff read."""
    help_text = _("For the history. The customer does not see it.")
    return forms.CharField(label=_("Note for us"), max_length=300, required=required, help_text=help_text)


def _words_to_customer(*, required: bool = True, max_length: int = 300, help_text: Any = None) -> forms.CharField:
    """A reason that the customer reads word for word."""
    return forms.CharField(
        label=_("Words to the customer"),
        max_length=max_length,
        required=required,
        help_text=help_text or _("The customer reads it in the e-mail."),
    )


class SeenForm(forms.Form):
    """Hidden fields of a confirming page: the state it showed, the sum on its button, and a key that counts once."""

    request_key = forms.RegexField(r"^[A-Za-z0-9_-]{16,64}$")
    seen = forms.CharField(max_length=120)
    named = forms.CharField(max_length=60, required=False)


class StepForm(forms.Form):
    """A form of the desk. ``named`` returns what the button must have said before the step runs; empty: nothing."""

    def named(self) -> str:
        return ""


class SumForm(StepForm):
    """An amount in the booking's currency, above zero and at most ``most_minor``."""

    def __init__(self, *args: Any, currency: str, most_minor: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        self.most_minor = most_minor
        self.fields["amount"] = MoneyField(
            currency=currency,
            label=_("Amount"),
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "data-sum": currency}),
        )
        self.order_fields(self.field_order)

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        if amount == 0:
            raise ValidationError(_("Type an amount of more than nothing."))
        if amount > (most := self.most()):
            raise ValidationError(
                _("That is too much: at most %(sum)s."), params={"sum": money_text(most, self.currency)}
            )
        return amount

    def most(self) -> int:
        return self.most_minor

    def named(self) -> str:
        return str(self.cleaned_data["amount"])


class TakeForm(SumForm):
    """Money taken at the desk."""

    field_order = ("method", "amount", "note")
    method = forms.ChoiceField(label=_("How"), choices=AT_DESK, widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class RefundForm(SumForm):
    """A refund to the means of payment. ``left`` is the refundable rest of each payment by its id, in minor units.

    ``asks_owed``: a refund could lower what the booking owes, so the form asks whether it does.
    """

    field_order = ("payment", "amount", "is_still_owed", "reason")
    payment = forms.TypedChoiceField(label=_("Of which payment"), coerce=int, widget=forms.RadioSelect)
    reason = _note_for_us()

    is_still_owed = forms.BooleanField(
        label=_("It is still owed"),
        required=False,
        help_text=_(
            "Without a tick the price goes down by what you give back. Tick it if the customer pays the sum again,"
            " another way."
        ),
    )

    def __init__(
        self, *args: Any, left: Mapping[int, int], texts: Mapping[int, str], asks_owed: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, most_minor=max(left.values(), default=0), **kwargs)
        if not asks_owed:
            del self.fields["is_still_owed"]
        self.left = left
        self.fields["payment"].choices = [(pk, texts[pk]) for pk in left]  # type: ignore[attr-defined]

    def most(self) -> int:
        return self.left.get(self.cleaned_data.get("payment", 0), self.most_minor)

    def named(self) -> str:
        return f"{self.cleaned_data['payment']}:{self.cleaned_data['amount']}"


class WaiveForm(SumForm):
    """All or part of a fee that the business waives."""

    field_order = ("amount", "reason")
    reason = _note_for_us()


class DiscountForm(SumForm):
    """A part of the price that the business takes off."""

    field_order = ("amount", "reason")
    reason = _note_for_us()


class DeclineForm(StepForm):
    """The reason for declining a refund. ``language`` is the name of the customer's language."""

    reason = _words_to_customer(max_length=160)

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _reason_help(language)


class LowerForm(SumForm):
    """A smaller amount than the refund that awaits approval, and why. ``language`` names the customer's language."""

    field_order = ("amount", "reason")
    reason = _words_to_customer(max_length=160)

    def __init__(self, *args: Any, language: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _reason_help(language)


class HandBackForm(StepForm):
    """The way in which staff handed the money over."""

    method = forms.ChoiceField(label=_("How"), choices=AT_DESK, widget=forms.RadioSelect)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


class ReasonForm(StepForm):
    """A reason, where the step needs one."""

    reason = _note_for_us()


class MissedForm(StepForm):
    """An optional reason for a no-show, which the customer reads."""

    reason = _words_to_customer(required=False)


class AnswerForm(StepForm):
    """Yes or no to a request. The customer reads the text."""

    answer = forms.ChoiceField(choices=[("accept", ""), ("decline", "")], widget=forms.HiddenInput)
    reason = _words_to_customer(required=False, help_text=_("The customer reads it in the e-mail, if you decline."))


class ReplyForm(StepForm):
    text = forms.CharField(
        label=_("Message"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The customer gets it by e-mail, and sees it on the page."),
    )
    answer = forms.ChoiceField(choices=[("send", ""), ("read", "")], widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].error_messages["required"] = _("Write a word or two first.")
        if self.data.get("answer") == "read":
            self.fields["text"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("answer") == "read" and str(cleaned.get("text", "")).strip():
            self.add_error("text", _("You typed a message. Send it, or empty the field if no answer is needed."))
        return cleaned


class TrustForm(StepForm):
    is_blocked = forms.BooleanField(
        label=_("May not book online"),
        required=False,
        help_text=_(
            "Bookings that exist stay: changes, cancellations, receipts and refunds are still mailed. Reminders and"
            " news are not."
        ),
    )
    is_prepayment_exempt = forms.BooleanField(
        label=_("Is never asked to pay in advance"),
        required=False,
        help_text=_(
            "On the website this counts in the browser in which the customer has opened their booking from one of our"
            " e-mails; anybody else could have typed the address. It always counts when you book for them."
        ),
    )
    reason = _note_for_us()
    was_blocked = forms.BooleanField(required=False, widget=forms.HiddenInput)
    was_prepayment_exempt = forms.BooleanField(required=False, widget=forms.HiddenInput)

    @staticmethod
    def initial_of(customer: Customer) -> dict[str, Any]:
        """Return the flags of a customer, and the same as what the page shows before staff change them."""
        blocked, exempt = customer.is_blocked, customer.is_prepayment_exempt
        return {
            "is_blocked": blocked,
            "is_prepayment_exempt": exempt,
            "was_blocked": blocked,
            "was_prepayment_exempt": exempt,
        }


class ResolveForm(StepForm):
    resolution = forms.CharField(label=_("How was it settled?"), max_length=300)


class CancelForm(StepForm):
    """A cancellation. The business never takes a fee when it cancels. A customer pays the fee of the moment at which
    they called.
    """

    BUSINESS, CUSTOMER = "business", "customer"
    who = forms.ChoiceField(
        label=_("Who calls it off"),
        choices=[(CUSTOMER, _("The customer, who called or wrote")), (BUSINESS, _("We do: everything goes back"))],
        error_messages={"required": _("Say who calls it off.")},
        widget=forms.RadioSelect,
    )
    called_at = forms.DateTimeField(
        label=_("When the customer called"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("The rules count for that moment."),
    )
    takes_fee = forms.BooleanField(label=_("Take the fee of the rules"), required=False)
    reason = _note_for_us(required=False)

    def __init__(self, *args: Any, fee_at: Callable[[datetime], int], now: datetime, **kwargs: Any) -> None:
        """``fee_at`` returns the fee (minor units) of a call at a moment. Staff type it in the active time zone."""
        super().__init__(*args, **kwargs)
        self.fee_at = fee_at
        self.now = now

    def clean_called_at(self) -> datetime:
        at: datetime = self.cleaned_data["called_at"] or self.now
        # Fields have no seconds, so the minute that has just begun counts as now.
        if at > self.now:
            raise ValidationError(_("That is still to come. When did the customer call?"))
        return at

    @property
    def on_behalf(self) -> bool:
        return bool(self.cleaned_data.get("who") == self.CUSTOMER)

    @property
    def fee_minor(self) -> int:
        if not self.on_behalf or not self.cleaned_data["takes_fee"]:
            return 0
        return self.fee_at(self.cleaned_data["called_at"])

    def named(self) -> str:
        return self.name_of(self.cleaned_data["who"], self.fee_minor)

    @staticmethod
    def name_of(who: str, fee_minor: int) -> str:
        """Return the value that a button sends for a cancellation by ``who`` at a fee."""
        return f"{who}:{fee_minor}"


def clean_span(values: dict[str, Any], *, now: datetime, too_long: Any) -> dict[str, Any]:
    """Return the values of a form of time off if ``starts_at`` and ``ends_at`` make a span that is not over.

    :raises ValidationError: with ``too_long`` for more than a year, else with what is wrong.
    """
    for name in ("starts_at", "ends_at"):
        moment = values.get(name)
        if moment and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
            raise ValidationError({name: _("Please check the year.")})
    starts, ends = values.get("starts_at"), values.get("ends_at")
    if starts and ends and ends <= starts:
        raise ValidationError({"ends_at": _("That is before the beginning. When does it end?")})
    if ends and ends <= now:
        raise ValidationError({"ends_at": _("That is over already.")})
    if starts and ends and (ends - starts).days > _LONGEST_DAYS:
        raise ValidationError({"ends_at": too_long})
    return values


def _reason_help(language: str) -> str:
    """Return the hint that the customer reads the reason as staff type it."""
    text = gettext("The customer reads it in the e-mail and on the page. Write it in their language: %(language)s.")
    return text % {"language": language}
