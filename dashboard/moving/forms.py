"""What the desk sends to move a booking."""

from hashlib import sha256

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.availability.overrides import NO_OVERRIDES, Overrides
from dashboard.forms import StepForm

# Epoch minutes of the year 2100.
_LATEST_MINUTE = 68_374_000
_LARGEST_ID = 2**31 - 1


class WishForm(forms.Form):
    """A day, and perhaps a time of it, on the clock of the booking's place."""

    on = forms.DateField(required=False)
    at = forms.TimeField(required=False)


class MoveForm(StepForm):
    """The start as an epoch minute, and who performs the visit then (empty: as now, or nobody)."""

    start = forms.IntegerField(min_value=0, max_value=_LATEST_MINUTE, widget=forms.HiddenInput)
    who = forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Note for us"),
        max_length=300,
        required=False,
        help_text=_("For the history. The customer does not see it."),
    )

    # The rules that have to be set aside for this start. Each of them is named before it is done, and wants a reason.
    overrides: Overrides = NO_OVERRIDES

    def set_aside(self, overrides: Overrides) -> None:
        self.overrides = overrides
        self.fields["reason"].required = bool(overrides)

    def named(self) -> str:
        return self.name_of(self.cleaned_data["start"], self.cleaned_data["who"], self.overrides)

    @staticmethod
    def name_of(start: int, who: int | None, overrides: Overrides) -> str:
        """What a button names that moves a booking there. The rules are shortened to fit into the field."""
        rules = sha256(",".join(sorted(overrides)).encode()).hexdigest()[:12] if overrides else ""
        return f"{start}:{who or ''}:{rules}"
