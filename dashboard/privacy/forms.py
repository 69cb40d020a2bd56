"""Forms about requests of customers, and about how long data is kept."""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import names
from core.forms import CleanedField
from privacy.enums import CaseKind
from privacy.models import LONGEST_MONTHS, LONGEST_YEARS, Retention
from privacy.operations.keep import FIELDS

_LONGEST_AGO = timedelta(days=365)


class CaseForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("What does the customer ask for?"),
        choices=[(CaseKind.ACCESS, _("A copy of their data")), (CaseKind.ERASURE, _("Erasure of their data"))],
        widget=forms.RadioSelect,
    )
    asked_on = forms.DateField(
        label=_("Asked on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("You have a month from then."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, today: date, kind: str = "") -> None:
        super().__init__(data, initial={"asked_on": today, "kind": kind})
        self.today = today
        self.fields["note"] = CleanedField(
            label=_("How did the request come, and how did you recognise the person?"),
            cleaner=partial(names.clean_paragraphs, limit=names.NOTE_LIMIT, label=gettext("The note")),
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("For example: by e-mail from the address we know; called back at the number we know."),
            error_messages={"required": _("Say how you know that it is this customer who asks.")},
        )

    def clean_asked_on(self) -> date:
        asked_on: date = self.cleaned_data["asked_on"]
        if not self.today - _LONGEST_AGO <= asked_on <= self.today:
            raise ValidationError(_("Choose today or a day of the last year."))
        return asked_on


class DeclineForm(forms.Form):
    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.fields["decision"] = CleanedField(
            label=_("Why is it declined?"),
            cleaner=partial(names.clean_paragraphs, limit=names.NOTE_LIMIT, label=gettext("The reason")),
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Write to the customer yourself, within the month, and name the right to complain."),
            error_messages={"required": _("Write the reason.")},
        )


class RetentionForm(forms.ModelForm):  # type: ignore[type-arg] # not generic when it runs
    """How long data is kept. Empty months keep it. ``seen_…`` are the values that the page showed."""

    class Meta:
        model = Retention
        fields = FIELDS

    def __init__(self, data: Mapping[str, Any] | None = None, *, kept: Retention) -> None:
        super().__init__(data, instance=Retention(**{name: getattr(kept, name) for name in FIELDS}))
        # Its unit stands behind the field.
        self.fields["receipt_name_years"].label = _("Names on receipts")
        for name in FIELDS:
            highest = LONGEST_YEARS if name.endswith("_years") else LONGEST_MONTHS
            lowest = 0 if name.endswith("_years") else 1
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                required=name.endswith("_years"),
                min_value=lowest,
                max_value=highest,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                error_messages={
                    "invalid": _("Type a whole number."),
                    "min_value": _("At least %(limit_value)s. Leave it empty to keep the data."),
                    "max_value": _("At most %(limit_value)s."),
                },
            )

    @property
    def values(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in FIELDS}

    @property
    def wanted(self) -> Retention:
        """The settings as typed, not saved."""
        return Retention(pk=1, **self.values)


def seen_values(data: Mapping[str, Any]) -> dict[str, int | None]:
    """Read the values that the page showed from its hidden fields."""
    typed = {name: str(data.get(f"seen_{name}", "")) for name in FIELDS}
    return {name: int(text) if text.isascii() and text.isdecimal() else None for name, text in typed.items()}
