"""The walk-in queue of a location: who waits today, when each is expected to be seen, and who has been today."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet

from bookings.availability.loading import availability_facts
from bookings.availability.queue import QueueWish, Turn, expected_turns
from bookings.enums import WalkInState
from bookings.models import WalkIn
from services.models import Location
from staff.hours import local_day

MOST_SHOWN = 100


def queue_at(place: Location, now: datetime) -> list[WalkIn]:
    """Return who waits today, in the order of coming, ``MOST_SHOWN`` at most. One query."""
    waiting = _today([place], now).filter(state=WalkInState.WAITING)
    related = ("variant__service", "staff_member", "customer")
    return list(waiting.select_related(*related).order_by("joined_at", "pk")[:MOST_SHOWN])


def ended_at(place: Location, now: datetime, most: int) -> list[WalkIn]:
    """Return who was booked or has left today, the latest first. One query."""
    ended = _today([place], now).exclude(state=WalkInState.WAITING)
    return list(ended.select_related("booking").order_by("-ended_at", "-pk")[:most])


def waiting_count(places: Sequence[Location], now: datetime) -> int:
    """Count who waits today at these locations. One query."""
    return _today(places, now).filter(state=WalkInState.WAITING).count() if places else 0


def newest_change(place: Location, now: datetime) -> str:
    """Return text that differs after every change of today's queue: how many came, who came last, and when somebody was
    booked or left last. One query.
    """
    found = _today([place], now).aggregate(
        newest=Max("pk"), ended=Max("ended_at"), waiting=Count("pk", filter=Q(state=WalkInState.WAITING))
    )
    ended = found["ended"].strftime("%H%M%S%f") if found["ended"] else ""
    return f"{found['newest'] or 0}-{found['waiting']}-{ended}"


def expected_in(place: Location, queue: Sequence[WalkIn], now: datetime) -> list[Turn | None]:
    """Return when each person of the queue can be seen today; None where today has no time left. Five queries at most,
    however long the queue is.
    """
    if not queue:
        return []
    wishes = [QueueWish(each.variant_id, each.staff_member_id) for each in queue]
    today = now.astimezone(ZoneInfo(place.time_zone)).date()
    facts = availability_facts(
        variant_ids=sorted({wish.variant_id for wish in wishes}),
        from_on=today,
        until_on=today + timedelta(days=1),
        now=now,
        location_ids=[place.pk],
    )
    return expected_turns(facts, place.pk, wishes)


def walk_in_at(place_ids: Collection[int] | None, walk_in_id: int, now: datetime) -> WalkIn | None:
    """Return a person who came today to one of these locations (None: to any), whatever became of them. One query."""
    found = WalkIn.objects.select_related("location", "booking").filter(pk=walk_in_id).first()
    if found is None or (place_ids is not None and found.location_id not in place_ids):
        return None
    return found if found.joined_at >= _day_start(found.location, now) else None


def _today(places: Sequence[Location], now: datetime) -> QuerySet[WalkIn]:
    came = Q(pk__in=[])
    for place in places:
        came |= Q(location=place, joined_at__gte=_day_start(place, now))
    return WalkIn.objects.filter(came)


def _day_start(place: Location, now: datetime) -> datetime:
    zone = ZoneInfo(place.time_zone)
    return local_day(now.astimezone(zone).date(), zone)[0]
