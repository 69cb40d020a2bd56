"""Forms that block time, and that answer a request for time off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms import clean_span

_MOMENT = "%Y-%m-%dT%H:%M"


class BlockForm(forms.Form):
    """Blocked time of a staff member, room or device. Moments are typed in the active time zone."""

    resource = forms.TypedChoiceField(label=_("Who or what"), coerce=int)
    starts_at = forms.DateTimeField(
        label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    )
    ends_at = forms.DateTimeField(
        label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("Staff see it in the calendar. Customers do not."),
    )

    def __init__(self, *args: Any, resources: Sequence[tuple[int, str]], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["resource"].choices = resources  # type: ignore[attr-defined]
        self.now = now

    def clean(self) -> dict[str, Any]:
        too_long = _("That is longer than a year. Please block it in parts.")
        return clean_span(self.cleaned_data, now=self.now, too_long=too_long)


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(choices=[("approve", _("Approve")), ("decline", _("Decline"))])
