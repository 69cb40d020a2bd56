"""Changes the time zone of a location after asking whether bookings ahead keep their clock time or their instant."""

from collections.abc import Callable, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.translation import gettext, ngettext

from accounts.models import User
from core import clock
from core.admin import sentence
from core.asking import INSISTS, AskFirst
from core.commitments import Commitment
from core.errors import DomainError
from services.models import Location
from services.operations import record_settings_change

KEEP_CLOCK, KEEP_INSTANT = "clock", "instant"


def change_zone_first(request: HttpRequest, location: Location, zone: ZoneInfo) -> None:
    """Change the zone of ``location`` (as stored) and its bookings ahead, and record the change.

    :raises AskFirst: with all bookings ahead, until the user picks one of the two ways; again when that way is
        impossible.
    """
    now, old = clock.now(), location.time_zone
    preview: Callable[..., list[Commitment]] = import_string(settings.ADMIN_ROUTES["zone_change_preview"])
    found, keep = preview(location, zone, now=now), request.POST.get(INSISTS, "")
    if found and keep not in {KEEP_CLOCK, KEEP_INSTANT}:
        raise _question(
            found, gettext("Nothing is saved yet. These bookings ahead read another time (%(count)d in all):")
        )
    change: Callable[..., int] = import_string(settings.ADMIN_ROUTES["change_zone"])
    try:
        told = change(location_id=location.pk, zone=zone, keep=keep or KEEP_INSTANT, user=request.user, now=now)
    except DomainError as refusal:
        if "bookings" not in refusal.data:
            raise AskFirst(format_html("{}", refusal.sentence), "") from refusal
        intro = gettext(
            "Nothing is saved. With the clock time kept, these bookings would meet others or be in the past:"
        )
        raise _question(refusal.data["bookings"], intro) from refusal
    details = {"kept": keep or KEEP_INSTANT, "bookings": told}
    user = cast(User, request.user)  # only signed-in users reach this page
    record_settings_change(location, field="time_zone", old=old, new=zone.key, actor=user, now=now, details=details)
    if told:
        text = ngettext(
            "%(count)d booking ahead was changed; its customer is told.",
            "%(count)d bookings ahead were changed; their customers are told.",
            told,
        )
        messages.success(request, text % {"count": told})


def _question(bookings: Sequence[Commitment], intro: str) -> AskFirst:
    lines = [format_html('<a class="underline" href="{}">{}</a>', each.url, each.text) for each in bookings]
    choices = [
        (KEEP_CLOCK, gettext("Keep the clock time: the zone was wrong, and people come when their clock says so.")),
        (KEEP_INSTANT, gettext("Keep the instant: the visits stay when they are, and read as shown after the arrow.")),
    ]
    return AskFirst(sentence(intro % {"count": len(bookings)}, lines), "", choices)
