"""The form of the limits of reading."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy.models import MOST_READINGS, ReadingLimits

_NUMBERS = {
    "per_hour": (_("Records within an hour"), _("Opened or downloaded by one user. The same record counts once.")),
    "at_night": (_("Records in a night"), _("Outside the opening hours only.")),
    "refused_per_day": (
        _("Refused records in a day"),
        _("Tries to open what the user may not see, such as a colleague's client."),
    ),
}
_TIMES = {"night_begins": _("The night begins at"), "night_ends": _("The night ends at")}


class LimitsForm(forms.Form):
    """More than these numbers is unusual. An empty number switches its alert off."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, limits: ReadingLimits) -> None:
        initial = {name: getattr(limits, name) for name in _NUMBERS}
        super().__init__(data, initial={**initial, **{name: _time(getattr(limits, name)) for name in _TIMES}})
        for name, (label, help_text) in _NUMBERS.items():
            self.fields[name] = forms.IntegerField(
                label=label,
                help_text=help_text,
                required=False,
                min_value=0,
                max_value=MOST_READINGS,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
                error_messages={
                    "invalid": _("Type a whole number."),
                    "min_value": _("0 or more. Leave it empty for no alert."),
                    "max_value": _("At most %(limit_value)s."),
                },
            )
        for name, label in _TIMES.items():
            self.fields[name] = forms.TimeField(
                label=label,
                widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                error_messages={"invalid": _("Type a time such as 21:00."), "required": _("Type a time.")},
            )

    @property
    def values(self) -> dict[str, int | None]:
        """The limits as typed; times as minutes of the day."""
        numbers = {name: self.cleaned_data[name] for name in _NUMBERS}
        return {**numbers, **{name: _minute(self.cleaned_data[name]) for name in _TIMES}}


def _time(minute: int) -> time:
    return time(*divmod(minute, 60))


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
