"""Forms of staff members, their working hours and absences. Times are typed in the zone of the location."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSingleDateWidget, UnfoldAdminTextInputWidget

from accounts.models import QuietHours
from core.forms import MINUTES_OF_DAY, ClockField
from services.forms import HoursForm, InlineFormSet, SpecialDaysFormSet, WeeklyHoursFormSet
from services.models import Resource
from staff.models import StaffMember, TimeOff
from staff.queries import zone_of_resource

if TYPE_CHECKING:
    _TimeOffForm = forms.ModelForm[TimeOff]
    _StaffMemberForm = forms.ModelForm[StaffMember]
else:
    _TimeOffForm = forms.ModelForm
    _StaffMemberForm = forms.ModelForm

__all__ = [
    "HoursForm",
    "SpecialDaysFormSet",
    "StaffMemberForm",
    "StaffTimeOffFormSet",
    "TimeOffForm",
    "WorkingHoursFormSet",
]


class StaffMemberForm(_StaffMemberForm):
    """A staff member with quiet hours (such as 22:00 to 7:00), in which no e-mail that can wait is sent to them."""

    quiet_from = ClockField(label=gettext_lazy("quiet from"), required=False, widget=UnfoldAdminTextInputWidget)
    quiet_until = ClockField(
        label=gettext_lazy("until"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The e-mail about the day waits until then. News of bookings always comes at once."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quiet = QuietHours.objects.filter(person_ref=f"staff:{self.instance.pk}").first() if self.instance.pk else None
        if quiet:
            self.fields["quiet_from"].initial = quiet.start_minute
            self.fields["quiet_until"].initial = quiet.end_minute

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if (start is None) != (end is None) and not {"quiet_from", "quiet_until"} & set(self.errors):
            self.add_error("quiet_until", _("Fill in both times, or neither for no quiet hours."))
        return cleaned

    @property
    def quiet_hours(self) -> tuple[int, int]:
        """Start and end in minutes from midnight; equal for no quiet hours."""
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return (0, 0) if start is None or end is None else (start % MINUTES_OF_DAY, end % MINUTES_OF_DAY)


class WorkingHoursFormSet(WeeklyHoursFormSet):
    """A staff member's week. Intervals in different weeks of the cycle or different periods do not overlap."""

    def _can_meet(self, first: dict[str, Any], second: dict[str, Any]) -> bool:
        both_alternate = first["cycle_weeks"] == second["cycle_weeks"] == 2
        if both_alternate and first["cycle_week"] != second["cycle_week"]:
            return False
        return _starts(first) <= _ends(second) and _starts(second) <= _ends(first)


def _starts(cleaned: dict[str, Any]) -> date:
    return cleaned.get("valid_from") or date.min


def _ends(cleaned: dict[str, Any]) -> date:
    return cleaned.get("valid_until") or date.max


class TimeOffForm(_TimeOffForm):
    """An absence from a day (and time) to a day (and time) in the zone of the resource. Without times: whole days."""

    first_on = forms.DateField(label=gettext_lazy("First day"), widget=UnfoldAdminSingleDateWidget())
    start_minute = ClockField(
        label=gettext_lazy("From"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "00:00"}),
        help_text=gettext_lazy("Empty: from the start of the day."),
    )
    last_on = forms.DateField(label=gettext_lazy("Last day"), widget=UnfoldAdminSingleDateWidget())
    end_minute = ClockField(
        label=gettext_lazy("Until"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "24:00"}),
        help_text=gettext_lazy("Empty: to the end of the day."),
    )

    class Meta:
        model = TimeOff
        fields = ("status", "reason")

    def __init__(self, *args: Any, zone: ZoneInfo | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone
        if self.instance.pk:
            self.initial.update(_typed(self.instance, self._zone(self.instance.resource)))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        resource = cleaned.get("resource") or (self.instance.resource if self.instance.resource_id else None)
        if self.errors or (resource is None and self.zone is None):
            return cleaned
        zone = self._zone(resource)
        start = cleaned["start_minute"] or 0
        end = MINUTES_OF_DAY if cleaned["end_minute"] is None else cleaned["end_minute"]
        begins_at, ends_at = _instant(cleaned["first_on"], start, zone), _instant(cleaned["last_on"], end, zone)
        if begins_at >= ends_at:
            field = "last_on" if cleaned["last_on"] < cleaned["first_on"] else "end_minute"
            self.add_error(field, _("The end must come after the start."))
        else:
            self.instance.during = DateTimeTZRange(begins_at, ends_at)
        return cleaned

    def _zone(self, resource: Resource | None) -> ZoneInfo:
        if self.zone is None and resource is not None:
            self.zone = zone_of_resource(resource)
        return self.zone or ZoneInfo("UTC")


class StaffTimeOffFormSet(InlineFormSet):
    """A staff member's absences. The page is the staff member's, but the rows belong to the resource."""

    def __init__(self, *args: Any, instance: StaffMember | None = None, **kwargs: Any) -> None:
        self.staff_member = instance or StaffMember()
        has_resource = self.staff_member.resource_id is not None
        resource = self.staff_member.resource if has_resource else Resource()
        zone = zone_of_resource(resource if has_resource else None)
        form_kwargs = {**kwargs.pop("form_kwargs", {}), "zone": zone}
        super().__init__(*args, **{**kwargs, "instance": resource, "form_kwargs": form_kwargs})

    def save(self, commit: bool = True) -> Any:
        # A new staff member gets the resource only when the page is saved.
        self.instance = self.staff_member.resource
        return super().save(commit)


def _typed(row: TimeOff, zone: ZoneInfo) -> dict[str, Any]:
    """Return a stored absence as form values: an end at midnight is the whole day before."""
    lower, upper = row.during.lower.astimezone(zone), row.during.upper.astimezone(zone)
    if upper.time() == time():
        last_on, end = (upper - timedelta(minutes=1)).date(), None
    else:
        last_on, end = upper.date(), upper.hour * 60 + upper.minute
    return {
        "first_on": lower.date(),
        "start_minute": lower.hour * 60 + lower.minute or None,
        "last_on": last_on,
        "end_minute": end,
    }


def _instant(on: date, minute: int, zone: ZoneInfo) -> datetime:
    return (datetime.combine(on, time()) + timedelta(minutes=minute)).replace(tzinfo=zone)
