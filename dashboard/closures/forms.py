"""The form of closed days and special hours, and the choices about the bookings that they hit."""

import re
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from core.forms import ClockField, DayField
from core.intervals import Interval, overlaps
from dashboard.closures.entries import Entry

LONGEST_DAYS = 62
SPANS = 2
_CLOSED, _HOURS = "closed", "hours"
_SEEN = re.compile(r"([0-9A-Z]{6})\.([0-9]{1,9})")
_MOST_SEEN = 1000


class Decision(StrEnum):
    """What happens to a booking outside the new hours when they are saved. ``AS_ALL``: what was chosen for all."""

    AS_ALL = "as_all"
    LATER = "later"
    KEEP = "keep"
    CANCEL = "cancel"


_DECISIONS = frozenset({Decision.LATER, Decision.KEEP, Decision.CANCEL})


class ClosureForm(forms.Form):
    """Days on which locations are closed or have other hours. Times are typed on the clock of each location."""

    places = forms.TypedMultipleChoiceField(label=_("Where"), coerce=int, widget=forms.CheckboxSelectMultiple)
    first_on = DayField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}))
    last_on = DayField(
        label=_("Last day"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("Empty: one day."),
    )
    kind = forms.ChoiceField(
        label=_("Hours"),
        choices=[(_CLOSED, _("Closed all day")), (_HOURS, _("Other hours than usual"))],
        widget=forms.RadioSelect,
        initial=_CLOSED,
    )
    from_1 = ClockField(label=_("From"), required=False, widget=forms.TextInput(attrs={"placeholder": "10:00"}))
    until_1 = ClockField(label=_("Until"), required=False, widget=forms.TextInput(attrs={"placeholder": "14:00"}))
    from_2 = ClockField(label=_("And from"), required=False)
    until_2 = ClockField(label=_("Until"), required=False)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=120,
        required=False,
        help_text=_("Customers read it on the website on that day, staff in the calendar."),
    )

    def __init__(self, *args: Any, places: Sequence[tuple[int, str]], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["places"].choices = places  # type: ignore[attr-defined]
        if len(places) == 1:
            self.fields["places"].widget = forms.MultipleHiddenInput()
            self.fields["places"].initial = [places[0][0]]

    @staticmethod
    def initial_of(entry: Entry) -> dict[str, Any]:
        values: dict[str, Any] = {
            "places": list(entry.location_ids),
            "first_on": entry.first_on,
            "last_on": entry.last_on if entry.last_on > entry.first_on else None,
            "kind": _HOURS if entry.spans else _CLOSED,
            "reason": entry.reason,
        }
        for number, (start, end) in enumerate(entry.spans[:SPANS], 1):
            values |= {f"from_{number}": start, f"until_{number}": end}
        return values

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        first, last = values.get("first_on"), values.get("last_on")
        if first and not last and "last_on" not in self.errors:
            values["last_on"] = last = first
        if first and last:
            self._check_days(first, last)
        values["spans"] = self._spans(values) if values.get("kind") == _HOURS else ()
        return values

    def _check_days(self, first: date, last: date) -> None:
        if last < first:
            self.add_error("last_on", _("That is before the first day."))
        elif last < self.today:
            self.add_error("first_on", _("That day is over."))
        elif (last - first).days >= LONGEST_DAYS:
            self.add_error("last_on", _("That is longer than two months. Please add it in parts."))

    def _spans(self, values: dict[str, Any]) -> tuple[Interval, ...]:
        """Return the typed hours, in order. Add errors for hours that are incomplete, reversed or overlap."""
        spans: list[Interval] = []
        for number in range(1, SPANS + 1):
            names = f"from_{number}", f"until_{number}"
            start, end = (values.get(name) for name in names)
            if any(name in self.errors for name in names) or (start is None and end is None):
                continue
            if start is None or end is None:
                self.add_error(names[0 if start is None else 1], _("Fill in both times."))
            elif start >= 1440:
                self.add_error(names[0], _("Start before 24:00. What begins after midnight belongs to the next day."))
            elif end <= start:
                self.add_error(names[1], _("The end must come after the start. For past midnight type 26:00."))
            elif any(overlaps((start, end), other) for other in spans):
                self.add_error(names[0], _("This overlaps the hours above."))
            else:
                spans.append((start, end))
        if not spans and not any(f"{name}_{n}" in self.errors for name in ("from", "until") for n in (1, 2)):
            self.add_error("from_1", _("Type the hours of that day."))
        return tuple(sorted(spans))


class Choices:
    """What the page about the bookings hit sent: the bookings it listed, and the decision about each.

    ``seen`` maps references to the number of the booking at that time.
    """

    def __init__(self, sent: QueryDict) -> None:
        pairs = _SEEN.findall(sent.get("seen", "")[: _MOST_SEEN * 20])
        self.seen = {reference: int(number) for reference, number in pairs}
        self._sent = sent

    @property
    def for_all(self) -> Decision:
        typed = self._sent.get("decide_all", "")
        return Decision(typed) if typed in _DECISIONS else Decision.LATER

    def chosen(self, reference: str) -> Decision:
        """Return what was chosen for a booking, as the page shows it again."""
        typed = self._sent.get(f"decide_{reference}", "")
        return Decision(typed) if typed in _DECISIONS else Decision.AS_ALL

    def of(self, reference: str) -> Decision:
        """Return what happens to a booking: its own decision, else the one for all."""
        chosen = self.chosen(reference)
        return self.for_all if chosen is Decision.AS_ALL else chosen
