"""The question about one time, read from the address."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from core.forms import DayField
from core.minutes import instant
from dashboard.phone_booking.queries import Offered, Person
from staff.hours import clock_minute


class WhyForm(forms.Form):
    """A length of a service, a therapist (empty: any), a day and a time on the clock of the place."""

    variant = forms.ChoiceField(
        label=_("Service"), error_messages={"invalid_choice": _("Choose a service of this location.")}
    )
    who = forms.ChoiceField(
        label=_("Therapist"),
        required=False,
        error_messages={"invalid_choice": _("Choose a therapist of this location.")},
    )
    on = DayField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(
        label=_("Time"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": _("Type a time, such as 14:30.")},
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        zone: ZoneInfo,
        today: date,
        services: Sequence[Offered],
        people: Sequence[Person],
        initial: Mapping[str, Any],
    ) -> None:
        super().__init__(data, initial=dict(initial), auto_id="why-%s")
        self.zone, self.today = zone, today
        variants = [(str(each.id), service.with_length(each)) for service in services for each in service.variants]
        self.fields["variant"].choices = variants  # type: ignore[attr-defined]
        self.fields["who"].choices = [  # type: ignore[attr-defined]
            ("", _("Anyone")),
            *((person.slug, person.name) for person in people),
        ]

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on < self.today:
            raise ValidationError(_("This day is past. Choose today or a later day."))
        return on

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        on, at = cleaned.get("on"), cleaned.get("time")
        if on and at is not None:
            cleaned["start"] = clock_minute(self.zone, on, at)
            local = instant(cleaned["start"]).astimezone(self.zone)
            if (local.hour, local.minute) != (at.hour, at.minute):
                self.add_error("time", _("The clock skips this time on that day. Choose another."))
        return cleaned
