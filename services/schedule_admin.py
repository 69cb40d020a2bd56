"""Admin pages whose rows decide when people, rooms and devices are free.

Nobody is moved by a change of hours: bookings that it would leave outside are shown before anything is saved.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from core import clock
from core.admin import ModelAdmin, listed, sentence
from core.commitments import Commitment
from services.operations import lock_resource_time


class WouldStrand(Exception):
    """A change of hours leaves bookings outside of them. Rolls the change back."""

    def __init__(self, bookings: Sequence[Commitment]) -> None:
        super().__init__()
        self.bookings = bookings


class ScheduleAdmin(ModelAdmin):
    """A page whose rows decide when resources are free.

    Saving locks these resources as booking does. If bookings would then lie outside the hours, nothing is saved, and
    the page comes back with the list and a box to tick; once ticked, it saves and says again whom to look after.
    """

    is_booked = True

    def resource_ids(self, obj: Any) -> Collection[int]:
        """The resources whose free time ``obj`` decides."""
        raise NotImplementedError

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except WouldStrand as refusal:
            request.would_strand = refusal.bookings  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if bookings := getattr(request, "would_strand", None):
            return type("Refused", (_RefusedForm, form), {"would_strand": bookings})
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        touched = set(self.resource_ids(obj)) if change else set()
        lock_resource_time(touched)
        request.stranded_before = {each.booking_id for each in stranded(touched)}  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        touched = set(self.resource_ids(form.instance))
        lock_resource_time(touched)
        before = request.stranded_before  # type: ignore[attr-defined]
        found = [each for each in stranded(touched) if each.booking_id not in before]
        if found and "_keep_bookings" not in request.POST:
            raise WouldStrand(found)
        if found:
            intro = gettext(
                "Saved. These bookings now lie outside the hours. Nobody moved them; please look after them:"
            )
            messages.warning(request, sentence(intro, listed(found)))


class _RefusedForm:
    """The form of a refused change: what was typed, the bookings it would strand, and the box to insist."""

    would_strand: Sequence[Commitment]

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        intro = gettext("Nothing is saved yet. These bookings would lie outside the hours:")
        insist = format_html(
            '<label class="flex gap-2 mt-2"><input type="checkbox" name="_keep_bookings"> {}</label>',
            gettext("Save anyway. The bookings stay as they are, and I look after them."),
        )
        refusal = format_html("{}{}", sentence(intro, listed(self.would_strand)), insist)
        self.add_error(None, ValidationError(refusal))  # type: ignore[attr-defined]
        return cleaned


def stranded(resource_ids: Collection[int]) -> list[Commitment]:
    """The bookings ahead whose time no longer lies in the free time of these resources."""
    found: Callable[..., list[Commitment]] = import_string(settings.ADMIN_ROUTES["stranded_bookings"])
    return found(resource_ids, now=clock.now()) if resource_ids else []
