"""Admin pages that show which bookings a change affects and ask for confirmation before they save it."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin import ModelAdmin

INSISTS = "_keep_bookings"


class AskFirst(Exception):
    """Raised if a change affects more than its form shows. Rolls the change back and shows the page with a question.

    :param shown: what the change affects, as HTML.
    :param insist: label of the checkbox that confirms the change; empty if the change cannot be confirmed.
    :param choices: radio buttons instead of the checkbox, as (value, label).
    """

    def __init__(self, shown: SafeString, insist: str, choices: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self.shown = shown
        self.options = [("radio", value, words) for value, words in choices] or [("checkbox", "on", insist)]


class AskingAdmin(ModelAdmin):
    """A page whose ``save_model`` or ``save_related`` may raise ``AskFirst``.

    Then nothing is saved, and the page shows the question with a checkbox. If it is checked (``insists``), the page
    saves.
    """

    def insists(self, request: HttpRequest) -> bool:
        return INSISTS in request.POST

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        shown: Callable[..., HttpResponse] = super().changeform_view
        try:
            with transaction.atomic():
                return shown(request, object_id, form_url, extra_context)
        except AskFirst as question:
            request.asks_first = question  # type: ignore[attr-defined]
        return shown(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if question := getattr(request, "asks_first", None):
            return type("Refused", (_RefusedForm, form), {"question": question})
        return form


class _RefusedForm:
    """Mix-in of the form of a change that was not saved: shows the input, the question and its checkbox."""

    question: AskFirst

    def clean(self) -> Any:
        cleaned = super().clean()  # type: ignore[misc]
        insist = format_html_join(
            "",
            '<label class="flex gap-2 mt-2"><input type="{}" name="{}" value="{}"> {}</label>',
            ((kind, INSISTS, value, words) for kind, value, words in self.question.options if words),
        )
        self.add_error(None, ValidationError(format_html("{}{}", self.question.shown, insist)))  # type: ignore[attr-defined]
        return cleaned
