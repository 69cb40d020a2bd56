"""Forms of opening and working hours: an interval ends after it starts, and two intervals of one day do not overlap."""

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _
from unfold.forms import PaginationInlineFormSet

from core.forms import MINUTES_OF_DAY, clock_text
from core.intervals import overlaps
from services.week import share_time

if TYPE_CHECKING:
    from django.forms.models import BaseInlineFormSet

    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
    _ModelForm = forms.ModelForm[Any]
else:
    InlineFormSet = PaginationInlineFormSet
    _ModelForm = forms.ModelForm


class HoursForm(_ModelForm):
    """One interval of a day. Both ends are given or, where the columns allow it, neither (closed, not working)."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("start_minute"), cleaned.get("end_minute")
        if "start_minute" in self.errors or "end_minute" in self.errors:
            return cleaned
        if (start is None) != (end is None):
            missing = "start_minute" if start is None else "end_minute"
            self.add_error(missing, _("Fill in both times, or neither for a day without hours."))
        elif start is not None and start >= MINUTES_OF_DAY:
            self.add_error("start_minute", _("Start before 24:00. What begins after midnight belongs to the next day."))
        elif start is not None and end is not None and end <= start:
            later = clock_text(end + MINUTES_OF_DAY)
            self.add_error(
                "end_minute",
                _("The end must come after the start. For past midnight type %(later)s.") % {"later": later},
            )
        return cleaned

    def _post_clean(self) -> None:
        # If clean() refused the times, the model and the database constraint must not add a second error.
        if "start_minute" not in self.errors and "end_minute" not in self.errors:
            super()._post_clean()  # type: ignore[misc]


class HoursFormSet(InlineFormSet):
    """Intervals of one owner. Overlaps are refused, also where one interval runs past midnight into the next day."""

    def clean(self) -> None:
        super().clean()
        # Copies, because add_error() removes a refused field from the form's own cleaned_data.
        filled = [(form, dict(form.cleaned_data)) for form in self._kept()]
        filled = [(form, values) for form, values in filled if values.get("start_minute") is not None]
        for (_form, first), (later, second) in combinations(filled, 2):
            if self._can_meet(first, second) and self._share_time(first, second):
                start, end = clock_text(first["start_minute"]), clock_text(first["end_minute"])
                said = _("This overlaps %(start)s–%(end)s, which is also in the list.") % {"start": start, "end": end}
                later.add_error("start_minute", said)

    def _kept(self) -> list[Any]:
        """The valid forms that are filled in and not marked for deletion."""
        return [
            form for form in self.forms if not form.errors and form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]

    def _share_time(self, first: dict[str, Any], second: dict[str, Any]) -> bool:
        raise NotImplementedError

    def _can_meet(self, first: dict[str, Any], second: dict[str, Any]) -> bool:
        """Return whether both intervals can apply in the same week."""
        return True


class WeeklyHoursFormSet(HoursFormSet):
    """Weekly intervals. The week is circular: Sunday night runs into Monday."""

    def _share_time(self, first: dict[str, Any], second: dict[str, Any]) -> bool:
        return share_time(_weekly(first), _weekly(second))


def _weekly(cleaned: dict[str, Any]) -> tuple[int, int, int]:
    return cleaned["weekday"], cleaned["start_minute"], cleaned["end_minute"]


class SpecialDaysFormSet(HoursFormSet):
    """Intervals of single dates. A row without times closes the whole day, so it must be the only row of its date."""

    def clean(self) -> None:
        super().clean()
        rows = Counter(form.cleaned_data["on"] for form in self._kept())
        for form in self._kept():
            if form.cleaned_data["start_minute"] is None and rows[form.cleaned_data["on"]] > 1:
                form.add_error("start_minute", _("This day has other rows. A row without times must be its only one."))

    def _share_time(self, first: dict[str, Any], second: dict[str, Any]) -> bool:
        return overlaps(self._span(first), self._span(second))

    def _span(self, cleaned: dict[str, Any]) -> tuple[int, int]:
        midnight = cleaned["on"].toordinal() * MINUTES_OF_DAY
        return midnight + cleaned["start_minute"], midnight + cleaned["end_minute"]
