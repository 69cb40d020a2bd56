"""Admin pages whose rows decide when people, rooms and devices are free.

Nobody is moved by a change of hours, nor by switching somebody or something off: bookings that it would leave without
their time, person, room or place are shown before anything is saved.
"""

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from core import clock
from core.admin import listed, sentence
from core.asking import AskFirst
from core.commitments import Commitment
from services.admin.settings_history import SettingsAdmin
from services.operations import lock_resource_time


class ScheduleAdmin(SettingsAdmin):
    """A page whose rows decide when resources are free.

    Saving locks these resources as booking does. If bookings would then lie outside the hours, or need what is switched
    off, the page asks first; once insisted, it saves and says again whom to look after.
    """

    is_booked = True
    recorded_fields = ("is_active",)

    def resource_ids(self, obj: Any) -> Collection[int]:
        """The resources whose free time ``obj`` decides."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # What is new may be about resources that have bookings already, such as an absence.
        touched = set(self.resource_ids(obj)) if change or self._is_about_others(obj) else set()
        lock_resource_time(touched)
        request.stranded_before = {each.booking_id for each in stranded(touched)}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touched = set(self.resource_ids(form.instance))
        lock_resource_time(touched)
        before = request.stranded_before  # type: ignore[attr-defined]
        found = [each for each in stranded(touched) if each.booking_id not in before]
        if not found:
            return
        is_switched_off = "is_active" in form.changed_data and not form.cleaned_data.get("is_active")
        if not self.insists(request):
            raise ask_about(found, is_switched_off=is_switched_off)
        intro = (
            gettext("Saved. These visits ahead need what you switched off. Nobody moved them; please look after them:")
            if is_switched_off
            else gettext("Saved. These bookings now lie outside the hours. Nobody moved them; please look after them:")
        )
        messages.warning(request, sentence(intro, listed(found)))

    def _is_about_others(self, obj: Any) -> bool:
        """Whether a new row decides about resources that exist already."""
        return getattr(obj, "resource_id", None) is not None


def ask_about(bookings: Collection[Commitment], *, is_switched_off: bool) -> AskFirst:
    """The question with the bookings that a change would leave without what they need."""
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
    """The bookings ahead whose time no longer lies in the free time of these resources."""
    found: Callable[..., list[Commitment]] = import_string(settings.ADMIN_ROUTES["stranded_bookings"])
    return found(resource_ids, now=clock.now()) if resource_ids else []
