"""Alerts about unusual reading as text."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext

from core import formats
from dashboard.access_list.presenter import moment_of
from privacy.models import ReadingAlert, ReadingLimits
from privacy.reading_messages import alert_text, log_url


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One alert. ``url`` is the access log of its user on its day; ``settled`` says who settled it, and when."""

    text: str
    day: str
    name: str
    url: str
    done_url: str
    settled: str


def row_of(alert: ReadingAlert, zone: ZoneInfo) -> AlertRow:
    settled = ""
    if alert.settled_at:
        words = {"name": alert.settled_by, "moment": ", ".join(moment_of(alert.settled_at, zone))}
        settled = gettext("Done by %(name)s, %(moment)s") % words
    return AlertRow(
        text=alert_text(alert),
        day=formats.full_day_text(alert.on),
        name=alert.user_name,
        url=log_url(alert),
        done_url=reverse("desk_access_alert_done", args=[alert.pk]),
        settled=settled,
    )


def changed_text(limits: ReadingLimits, zone: ZoneInfo) -> str:
    """Return who changed the limits last; empty while they are the usual ones."""
    if limits.updated_at is None:
        return ""
    words = {"name": limits.updated_by, "moment": ", ".join(moment_of(limits.updated_at, zone))}
    return gettext("Changed by %(name)s, %(moment)s") % words
