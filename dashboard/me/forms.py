"""Forms of a therapist: notes, follow-ups, requests for time off."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bookings.operations.session_notes import FOLLOW_UP_LIMIT, NOTE_LIMIT
from dashboard.forms import clean_span

_LARGEST_ID = 2**31 - 1


class NoteForm(forms.Form):
    """A session note. ``version`` is that of the text which the page showed first."""

    text = forms.CharField(
        label=_("Note about this visit"),
        required=False,
        max_length=NOTE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    version = forms.IntegerField(min_value=0, max_value=_LARGEST_ID, widget=forms.HiddenInput)


class FollowUpForm(forms.Form):
    text = forms.CharField(label=_("What to do"), max_length=FOLLOW_UP_LIMIT)
    due_on = forms.DateField(label=_("By"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


class DoneForm(forms.Form):
    follow_up = forms.IntegerField(min_value=1, max_value=_LARGEST_ID)


class TimeOffForm(forms.Form):
    """A period of time off, typed in the active time zone. Where several come into question, ``clock`` names it."""

    clock = forms.ChoiceField(label=_("On the clock of"))
    starts_at = forms.DateTimeField(
        label=_("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    ends_at = forms.DateTimeField(
        label=_("Until"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    reason = forms.CharField(label=_("Reason"), max_length=200, required=False)

    def __init__(self, *args: Any, clocks: Sequence[tuple[str, str]], now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["clock"].choices = clocks  # type: ignore[attr-defined]
        if len(clocks) == 1:
            del self.fields["clock"]
        self.now = now

    def clean(self) -> dict[str, Any]:
        too_long = _("That is longer than a year. Please ask in parts.")
        return clean_span(self.cleaned_data, now=self.now, too_long=too_long)
