"""Forms of the desk that change the length of a visit."""

from hashlib import sha256

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.queries.lengths import NewLength
from bookings.rules.lengths import LONGEST_MINUTES
from dashboard.forms import StepForm

_LARGEST_ID = 2**31 - 1


class WishForm(forms.Form):
    """The wished length: a variant by its id, or minutes by hand."""

    variant = forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False)
    minutes = forms.IntegerField(min_value=1, max_value=LONGEST_MINUTES, required=False)


class LengthForm(StepForm):
    """The confirmation of a length. A length by hand and an exception to the rules need a reason."""

    variant = forms.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False, widget=forms.HiddenInput)
    minutes = forms.IntegerField(min_value=1, max_value=LONGEST_MINUTES, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=_("Note for us"),
        max_length=300,
        required=False,
        help_text=_("For the history. The customer does not see it."),
    )

    wanted: NewLength
    total_minor: int
    overrides: Overrides = NO_OVERRIDES

    def bind(self, wanted: NewLength, total_minor: int, overrides: Overrides) -> None:
        """Say what is confirmed: the length, the price with it, and the rules to override."""
        self.wanted, self.total_minor, self.overrides = wanted, total_minor, overrides
        self.fields["reason"].required = wanted.is_by_hand or bool(overrides)

    def named(self) -> str:
        return self.name_of(self.wanted, self.total_minor, self.overrides)

    @staticmethod
    def name_of(wanted: NewLength, total_minor: int, overrides: Overrides) -> str:
        """Return what a button sends for this length. The rules are hashed so that they fit into the field."""
        rules = sha256(",".join(sorted(overrides)).encode()).hexdigest()[:12] if overrides else ""
        what = f"m{wanted.minutes}" if wanted.is_by_hand else f"v{wanted.variant_id}"
        return f"{what}:{wanted.minutes}:{total_minor}:{rules}"
