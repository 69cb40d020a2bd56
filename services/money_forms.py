"""Forms of payment rules. The owner types a value as a percentage or as an amount, depending on its kind."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from core.forms import percent_text, scaled, sum_of, sum_text
from services.enums import FeeKind, PaymentMode
from services.models import CancellationPolicy, CancellationTier, Service
from services.queries import effective_policy

if TYPE_CHECKING:
    from django.forms.models import BaseInlineFormSet

    _ModelForm = forms.ModelForm[Any]
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    _ModelForm = forms.ModelForm
    InlineFormSet = PaginationInlineFormSet

# The kinds of fees and deposits that have a value.
_PERCENT, _FIXED = str(FeeKind.PERCENT), str(FeeKind.FIXED)


def _value_field(label: Any, help_text: Any = "") -> forms.CharField:
    widget = UnfoldAdminTextInputWidget(attrs={"placeholder": "50", "autocomplete": "off"})
    return forms.CharField(label=label, required=False, max_length=20, widget=widget, help_text=help_text)


class _MoneyRulesForm(_ModelForm):
    """Parses and shows values by their kind. ``currency`` is set on the class made for each request."""

    currency = "EUR"

    def _show(self, value_name: str, kind_name: str) -> None:
        value, kind = getattr(self.instance, value_name), str(getattr(self.instance, kind_name))
        texts = {_PERCENT: percent_text(value or 0), _FIXED: sum_text(value or 0, self.currency)}
        self.initial[value_name] = texts.get(kind, "") if value is not None else ""

    def _read(self, value_name: str, kind: str) -> int:
        """Return the typed value in basis points or minor units; 0 if it is empty or its kind has no value.

        An invalid value becomes an error of the field.
        """
        text = str(self.cleaned_data.get(value_name) or "").rstrip(" %")
        if kind not in {_PERCENT, _FIXED} or not text:
            return 0
        try:
            value = (
                scaled(text, 2, example="50", has_thousands=False) if kind == _PERCENT else sum_of(text, self.currency)
            )
        except forms.ValidationError as error:
            self.add_error(value_name, error)
            return 0
        if kind == _PERCENT and value > 10_000:
            self.add_error(value_name, _("A percentage cannot be more than 100."))
            return 0
        return value

    def _miss(self, value_name: str, sentence: str) -> None:
        """Add the error of a missing value, unless the field has an error already."""
        if value_name not in self.errors:
            self.add_error(value_name, sentence)


class TierForm(_MoneyRulesForm):
    fee_value = _value_field(gettext_lazy("Value"))

    class Meta:
        model = CancellationTier
        fields = ("until_minutes_before", "fee_kind", "fee_value")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show("fee_value", "fee_kind")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = str(cleaned.get("fee_kind"))
        if kind in {_PERCENT, _FIXED} and not cleaned.get("fee_value"):
            self._miss("fee_value", _("Say how much: a percentage such as 50, or an amount."))
        return {**cleaned, "fee_value": self._read("fee_value", kind)}


class TierFormSet(InlineFormSet):
    """The steps of a policy. A policy that keeps a card on file needs a fee that the business could charge to it."""

    def clean(self) -> None:
        super().clean()
        policy: CancellationPolicy = self.instance
        if policy.payment_mode != PaymentMode.CARD or policy.no_show_fee_kind != FeeKind.NONE or any(self.errors):
            return
        # After the last step the whole price is due, so any step that ends before the start makes a fee possible.
        kept = [form.cleaned_data for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        if all(step["fee_kind"] == FeeKind.NONE and step["until_minutes_before"] == 0 for step in kept):
            raise forms.ValidationError(
                _("A card is kept only for fees, and there are none: add a step, or a fee for not coming.")
            )


class PolicyForm(_MoneyRulesForm):
    deposit_value = _value_field(
        gettext_lazy("Deposit"), gettext_lazy("A percentage such as 20, or an amount. Counts where a deposit is asked.")
    )
    no_show_fee_value = _value_field(
        gettext_lazy("Fee for not coming"), gettext_lazy("A percentage such as 50, or an amount.")
    )

    class Meta:
        model = CancellationPolicy
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show("deposit_value", "deposit_kind")
        self._show("no_show_fee_value", "no_show_fee_kind")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        deposit = self._read("deposit_value", str(cleaned.get("deposit_kind")))
        if cleaned.get("payment_mode") == PaymentMode.DEPOSIT and not deposit:
            self._miss("deposit_value", _("Say how much the deposit is: a percentage such as 20, or an amount."))
        kind = str(cleaned.get("no_show_fee_kind"))
        fee = self._read("no_show_fee_value", kind)
        if kind in {_PERCENT, _FIXED} and not fee:
            self._miss("no_show_fee_value", _("Say how much not coming costs: a percentage such as 50, or an amount."))
        return {**cleaned, "deposit_value": deposit, "no_show_fee_value": fee}


class ServiceForm(_MoneyRulesForm):
    deposit_value = _value_field(gettext_lazy("Deposit"), gettext_lazy("A percentage such as 20, or an amount."))

    class Meta:
        model = Service
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._show("deposit_value", "deposit_kind")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        kind = str(cleaned.get("deposit_kind") or "")
        if cleaned.get("deposit_value") and not kind:
            self.add_error("deposit_kind", _("Say whether the deposit is a percentage or an amount."))
        deposit = self._read("deposit_value", kind) if kind else None
        if kind and not deposit:
            self._miss("deposit_value", _("Say how much the deposit is: a percentage such as 20, or an amount."))
        elif cleaned.get("payment_mode") == PaymentMode.DEPOSIT and not kind and not self._policy_has_deposit(cleaned):
            self.add_error("deposit_kind", _("The cancellation rules name no deposit, so say here how much it is."))
        return {**cleaned, "deposit_value": deposit or None}

    def _policy_has_deposit(self, cleaned: dict[str, Any]) -> bool:
        policy = effective_policy(cleaned.get("cancellation_policy"), cleaned.get("category"))
        return bool(policy and policy.deposit_value)
