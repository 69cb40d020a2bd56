"""Forms of the desk that move a booking."""

from datetime import datetime, timedelta
from hashlib import sha256

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.availability.overrides import NO_OVERRIDES, Overrides
from core.forms import DayField
from core.minutes import instant
from dashboard.forms import StepForm

# Epoch minutes of the year 2100.
_LATEST_MINUTE = 68_374_000
_LARGEST_ID = 2**31 - 1
_FARTHEST = timedelta(days=2 * 366)


def is_far(start: int, now: datetime) -> bool:
    """Return whether an epoch minute is so far ahead that its year must be a mistake."""
    return instant(start) > now + _FARTHEST


class WishForm(forms.Form):
    """A day with an optional time, on the clock of the booking's place."""

    on = DayField(required=False)
    at = forms.TimeField(required=False)


class MoveForm(StepForm):
    """The start as an epoch minute, and the id of the staff member (empty: as now, or none)."""

    start = forms.IntegerField(min_value=0, max_value=_LATEST_MINUTE, widget=forms.HiddenInput)
    who = forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Note for us"),
        max_length=300,
        required=False,
        help_text=_("For the history. The customer does not see it."),
    )

    # The rules to override for this start. The page names each of them first, and the user has to give a reason.
    overrides: Overrides = NO_OVERRIDES

    def set_aside(self, overrides: Overrides) -> None:
        self.overrides = overrides
        self.fields["reason"].required = bool(overrides)

    def named(self) -> str:
        return self.name_of(self.cleaned_data["start"], self.cleaned_data["who"], self.overrides)

    @staticmethod
    def name_of(start: int, who: int | None, overrides: Overrides) -> str:
        """Return the value that a button sends for this move. The rules are hashed so that they fit into the field."""
        rules = sha256(",".join(sorted(overrides)).encode()).hexdigest()[:12] if overrides else ""
        return f"{start}:{who or ''}:{rules}"
