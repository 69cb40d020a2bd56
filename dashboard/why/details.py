"""What each rule compares: hours, limits, the claims in the way. One line of text for each rule."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext, ngettext

from bookings.availability.facts import StaffFacts, VariantFacts
from core import formats
from core.intervals import Interval
from core.minutes import instant
from dashboard.why.queries import Inquiry, Obstacle


@dataclass(frozen=True, slots=True)
class Details:
    """The facts about one person (None for a court) at the time, put into words."""

    inquiry: Inquiry
    person_id: int | None
    rooms: Mapping[int, str]
    of_person: Sequence[Obstacle]
    of_rooms: Sequence[Obstacle]

    @property
    def staff(self) -> StaffFacts | None:
        return self.inquiry.facts.staff.get(self.person_id or 0)

    def text(self, rule: str) -> str:
        variant = self.inquiry.variant
        if variant is None or rule in {"offered_here", "qualified"}:
            return self.inquiry.asked.service.with_length(self.inquiry.asked.variant)
        match rule:
            case "opening_hours":
                return self._hours(self.inquiry.location.opening.intervals)
            case "working_hours":
                return self._hours(self._working())
            case "time_off":
                return self._time_off()
            case "resources_exist":
                return self._needed(variant)
            case "resources_free":
                return self._rooms()
            case "staff_free":
                return self._obstacles()
        return self._limit(rule, variant)

    def _limit(self, rule: str, variant: VariantFacts) -> str:
        counts, day = self.inquiry.facts.counts, self.inquiry.asked.starts_at.date().toordinal()
        match rule:
            case "grid":
                every = formats.minutes_text(variant.slot_interval_minutes)
                return gettext("A start every %(minutes)s") % {"minutes": every}
            case "notice":
                return gettext("At least %(time)s before") % {"time": formats.hours_text(variant.lead_minutes)}
            case "horizon":
                days = variant.horizon_days
                return ngettext("Up to %(days)d day ahead", "Up to %(days)d days ahead", days) % {"days": days}
            case "business_limit":
                return _of_limit(self.inquiry.facts.business_daily_limit, counts.business.get(day, 0))
            case "service_limit":
                return _of_limit(variant.service_daily_limit, counts.services.get((variant.service_id, day), 0))
            case "staff_limit" if self.staff:
                return _of_limit(self.staff.daily_limit, counts.staff.get((self.staff.id, day), 0))
        return ""

    def _working(self) -> Sequence[Interval]:
        hours = self.staff.working.get(self.inquiry.location.id) if self.staff else None
        return hours.intervals if hours else ()

    def _hours(self, intervals: Iterable[Interval]) -> str:
        """Name the hours of the day, and of the evening before if they last until then."""
        day = self.inquiry.asked.starts_at.date()
        own = [each for each in intervals if day in {self._day(each[0]), self._day(each[1] - 1)}]
        if not own:
            return gettext("No hours on %(day)s") % {"day": formats.day_text(day)}
        return f"{formats.day_text(day)}: {', '.join(self._span(each) for each in own)}"

    def _time_off(self) -> str:
        day = self.inquiry.asked.starts_at.date()
        times = self.inquiry.facts.time_off.get(self.staff.resource_id, ()) if self.staff else ()
        own = [each for each in times if self._day(each[0]) <= day <= self._day(each[1] - 1)]
        return ", ".join(self._long_span(each) for each in own) or gettext("None on that day")

    def _needed(self, variant: VariantFacts) -> str:
        if not variant.spec.requirements:
            return gettext("It needs none")
        return gettext("It can use %(names)s") % {"names": ", ".join(self.rooms.values())} if self.rooms else ""

    def _rooms(self) -> str:
        if not self.rooms:
            return gettext("It needs none")
        taken = {each.resource_id for each in self.of_rooms}
        names = [
            gettext("%(name)s is taken") % {"name": name} if pk in taken else name for pk, name in self.rooms.items()
        ]
        return ", ".join(names)

    def _obstacles(self) -> str:
        texts = [f"{self._span((each.low, each.high))} {_who(each)}" for each in self.of_person]
        return ", ".join(texts) or gettext("No other booking")

    def _day(self, minute: int) -> date:
        return instant(minute).astimezone(self.inquiry.asked.zone).date()

    def _span(self, interval: Interval) -> str:
        starts, ends = (instant(minute).astimezone(self.inquiry.asked.zone) for minute in interval)
        return formats.span_text(starts, ends)

    def _long_span(self, interval: Interval) -> str:
        starts, ends = (instant(minute).astimezone(self.inquiry.asked.zone) for minute in interval)
        if starts.date() == ends.date():
            return formats.span_text(starts, ends)
        return f"{formats.moment_text(starts)} – {formats.moment_text(ends)}"


def _who(obstacle: Obstacle) -> str:
    if obstacle.booking is None:
        return gettext("another booking")
    return f"{obstacle.booking.contact_name}, {obstacle.booking.get_status_display()}"


def _of_limit(limit: int | None, count: int) -> str:
    if limit is None:
        return gettext("No limit")
    return gettext("%(count)d of %(limit)d bookings") % {"count": count, "limit": limit}
