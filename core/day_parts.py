"""Morning, afternoon and evening: under these, lists of times are read faster."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

NOON, EVENING = 12 * 60, 17 * 60


class DayPart(TextChoices):
    MORNING = "morning", _("Morning")
    AFTERNOON = "afternoon", _("Afternoon")
    EVENING = "evening", _("Evening")


def day_part(wall_minute: int) -> DayPart:
    """Return the part of the day for minutes since midnight on the wall clock."""
    if wall_minute < NOON:
        return DayPart.MORNING
    return DayPart.AFTERNOON if wall_minute < EVENING else DayPart.EVENING
