"""Confirmation questions of the admin, for changes whose effect is easy to overlook."""

from collections.abc import Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from core.admin import bookings_ahead
from core.asking import AskFirst
from services.admin.schedule import ask_about
from services.enums import FeeKind
from services.readings import Reading, as_table


def read_anew(form: Any, what: str, kind_name: str, value_name: str) -> Reading | None:
    """Return how a value reads before and after its kind changed between percent and amount while its number stayed.

    None when the kind did not change so, or when the user typed a new number as well.
    """
    old, new = str(form.initial.get(kind_name)), str(form.cleaned_data.get(kind_name))
    number = str(form.initial.get(value_name) or "")
    if old == new or {old, new} != {str(FeeKind.PERCENT), str(FeeKind.FIXED)} or value_name in form.changed_data:
        return None
    words = {str(FeeKind.PERCENT): f"{number} %", str(FeeKind.FIXED): f"{number} {form.currency}"}
    return Reading(what, words[old], words[new])


def ask_about_values(read: list[Reading], *, insists: bool) -> None:
    if read and not insists:
        intro = _("Nothing is saved yet. The same number would be read like this.")
        insist = _("Save anyway. That is what I mean.")
        raise AskFirst(format_html("{}{}", intro, as_table(read)), str(insist))


def is_switched_off(row: Any, changed: Sequence[str]) -> bool:
    return "is_active" in changed and not row.is_active


def ask_about_bookings(things: Sequence[Any], *, insists: bool) -> None:
    """Ask before switching off ``things`` that visits ahead were sold as, unless the user insists.

    :raises AskFirst: with these visits, when there are any.
    """
    if things and not insists and (ahead := bookings_ahead(things)):
        raise ask_about(ahead, is_switched_off=True)
