"""Base of admin pages whose rows decide when staff members, rooms and devices are free.

A change of hours, or switching something off, never moves a booking. Before such a change is saved, the page shows the
bookings that would lose their time, staff member, room or location. Afterwards the desk lists those that a change of
hours put outside them.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core import clock
from core.admin import listed, sentence
from core.asking import AskFirst
from core.commitments import Commitment
from services.admin.settings_history import SettingsAdmin
from services.operations import lock_resource_time


class ScheduleAdmin(SettingsAdmin):
    """A page whose rows decide when resources are free.

    Saving takes the locks of these resources that booking takes. If bookings would then lie outside the hours, or need
    what is switched off, the page asks first. If the user insists, it saves and lists these bookings in a warning.
    """

    is_booked = True
    recorded_fields = ("is_active",)

    def resource_ids(self, obj: Any) -> Collection[int]:
        """The resources whose free time ``obj`` decides."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # A new row, such as an absence, may concern resources that have bookings already.
        touched = set(self.resource_ids(obj)) if change or self._is_about_others(obj) else set()
        lock_resource_time(touched)
        request.stranded_before = {each.booking_id for each in stranded(touched)}  # type: ignore[attr-defined]
        request.hours_before = _hours_in_use(touched)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touched = set(self.resource_ids(form.instance))
        lock_resource_time(touched)
        before = request.stranded_before  # type: ignore[attr-defined]
        found = [each for each in stranded(touched) if each.booking_id not in before]
        if found and not self.insists(request):
            raise ask_about(found, is_switched_off=self._is_switched_off(form))
        noted = _note_hours_change(touched, request.hours_before)  # type: ignore[attr-defined]
        if found:
            page = "" if self._is_switched_off(form) else "outside_hours_page" if noted else "time_off_page"
            messages.warning(request, _left(found, page))

    def _is_switched_off(self, form: Any) -> bool:
        return "is_active" in form.changed_data and not form.cleaned_data.get("is_active")

    def _is_about_others(self, obj: Any) -> bool:
        """Return whether a new row concerns a resource that exists already."""
        return getattr(obj, "resource_id", None) is not None


def _left(found: Collection[Commitment], page: str) -> SafeString:
    """Return the warning after saving. ``page`` names the route of the desk's page where staff decide about each
    booking; it is empty where something was switched off.
    """
    if not page:
        intro = gettext(
            "Saved. These upcoming bookings need what you switched off. They were not moved; take care of them:"
        )
        return sentence(intro, listed(list(found)))
    intro = gettext("Saved. These bookings are now outside the hours. They were not moved; take care of them:")
    address, words = reverse(settings.ADMIN_ROUTES[page]), gettext("Move, keep or cancel each of them")
    link = format_html('<p><a class="underline" href="{}">{}</a></p>', address, words)
    return format_html("{}{}", sentence(intro, listed(list(found))), link)


def ask_about(bookings: Collection[Commitment], *, is_switched_off: bool) -> AskFirst:
    """Return the question that lists the bookings a change would leave without what they need."""
    found = list(bookings)
    intro = (
        gettext("Nothing is saved yet. These visits ahead need what you switch off (%(count)d in all):")
        % {"count": len(found)}
        if is_switched_off
        else gettext("Nothing is saved yet. These bookings would lie outside the hours:")
    )
    insist = gettext("Save anyway. The bookings stay as they are, and I look after them.")
    return AskFirst(sentence(intro, listed(found)), insist)


def stranded(resource_ids: Collection[int]) -> list[Commitment]:
    """Return the bookings ahead whose time lies outside the free time of these resources."""
    found: Callable[..., list[Commitment]] = import_string(settings.ADMIN_ROUTES["stranded_bookings"])
    return found(resource_ids, now=clock.now()) if resource_ids else []


def _hours_in_use(resource_ids: Collection[int]) -> Any:
    """Return the hours in which bookings ahead use these resources, for ``_note_hours_change`` after the change."""
    read: Callable[..., Any] = import_string(settings.ADMIN_ROUTES["hours_in_use"])
    return read(resource_ids, now=clock.now()) if resource_ids else {}


def _note_hours_change(resource_ids: Collection[int], before: Any) -> bool:
    """Let the desk list the bookings that the change put outside the hours, until staff have decided about each.

    Return whether there are any.
    """
    note: Callable[..., bool] = import_string(settings.ADMIN_ROUTES["note_hours_change"])
    return note(resource_ids, before, now=clock.now()) if resource_ids else False
