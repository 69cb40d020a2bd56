"""The export of a customer as a file: JSON for machines, or a document that people read, with words for its keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import formats
from privacy.operations.export import SECTIONS

LABELS: Mapping[str, Promise] = {
    "about": _("About"),
    "account": _("Account"),
    "added_at": _("Added"),
    "address_of_visit": _("Address of the visit"),
    "amount": _("Amount"),
    "at": _("When"),
    "at_most": _("At most"),
    "booked_at": _("Booked"),
    "booked_by": _("Booked through"),
    "bookings": _("Bookings"),
    "brand": _("Brand"),
    "browser": _("Browser"),
    "business": _("Business"),
    "by": _("By"),
    "card": _("Card"),
    "channel": _("Channel"),
    "channels": _("Channels wanted"),
    "consents": _("Consents"),
    "contact": _("Contact"),
    "conversation": _("Conversation with the front desk"),
    "currency": _("Currency"),
    "decision": _("Decision"),
    "devices": _("Devices for notifications"),
    "direction": _("Direction"),
    "done_at": _("Done"),
    "due_on": _("Due"),
    "email": _("E-mail"),
    "email_confirmed_at": _("E-mail confirmed"),
    "ends_at": _("End"),
    "extras": _("Extras"),
    "forgotten_at": _("Forgotten"),
    "from": _("From"),
    "from_minute": _("From minute of the day"),
    "given_at": _("Given"),
    "history": _("History"),
    "is_blocked": _("May not book online"),
    "is_prepayment_exempt": _("Never asked to pay in advance"),
    "keyword": _("Keyword"),
    "kind": _("Kind"),
    "language": _("Language"),
    "last_digits": _("Last digits"),
    "last_sign_in_at": _("Last sign-in"),
    "last_used_at": _("Last used"),
    "may_not_book_online": _("May not book online"),
    "meeting_url": _("Meeting link"),
    "merged_records": _("Records merged into this one"),
    "message_choices": _("Choices about messages"),
    "messages": _("Messages sent"),
    "method": _("Method"),
    "name": _("Name"),
    "network_address": _("Network address"),
    "never_asked_to_pay_in_advance": _("Never asked to pay in advance"),
    "no_more_messages": _("No more messages by"),
    "note": _("Note"),
    "notes": _("Notes of staff"),
    "opened_at": _("Noted"),
    "payments": _("Payments"),
    "people": _("People"),
    "phone": _("Phone"),
    "place": _("Place"),
    "purpose": _("Purpose"),
    "quiet_hours": _("Quiet hours"),
    "readings": _("When staff opened your record"),
    "reason": _("Reason"),
    "receipt": _("Receipt"),
    "record": _("Record"),
    "reference": _("Reference"),
    "refunds": _("Refunds"),
    "requests": _("Your requests about your data"),
    "saved_at": _("Saved"),
    "saved_cards": _("Saved cards"),
    "service": _("Service"),
    "signed_in": _("Where you are signed in"),
    "services": _("Services"),
    "session_note": _("Session note"),
    "since": _("Since"),
    "starts_at": _("Start"),
    "state": _("State"),
    "status": _("Status"),
    "subject": _("Subject"),
    "tags": _("Tags"),
    "tasks": _("Tasks after the visit"),
    "text": _("Text"),
    "texts_received": _("Text messages received"),
    "through": _("Through"),
    "time_zone": _("Time zone"),
    "time_zone_of_browser": _("Time zone of the browser"),
    "to": _("To"),
    "to_minute": _("To minute of the day"),
    "total": _("Total"),
    "variant": _("Variant"),
    "what": _("What"),
    "withdrawn_at": _("Withdrawn"),
    "with": _("With"),
    "written_at": _("Written"),
}
# Keys of single things, by which the things of a list are named.
_TITLES = ("starts_at", "at", "given_at", "written_at", "since", "saved_at", "opened_at", "name", "reference")


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with its label, or a group of entries."""

    label: str
    text: str = ""
    parts: tuple["Entry", ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    business: str
    name: str
    made: str
    sections: tuple[Entry, ...]
    why: tuple[tuple[str, str], ...]


def export_file(data: Mapping[str, Any], *, name: str, is_document: bool, zone: ZoneInfo) -> HttpResponse:
    """Return the export as a download: a document with moments in ``zone``, else JSON. ``name`` has no ending."""
    if is_document:
        response = HttpResponse(render_to_string("privacy/export.html", {"page": page_of(data, zone=zone)}))
        ending = "html"
    else:
        response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 2})
        ending = "json"
    response["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return response


def page_of(data: Mapping[str, Any], *, zone: ZoneInfo) -> Page:
    """Return the document. Moments are in ``zone``; what is empty is left out."""
    sections = (_entry(name, data[name], zone) for name in SECTIONS if data[name])
    return Page(
        business=data["business"],
        name=data["contact"]["name"],
        made=_moment(data["made_at"], zone),
        sections=tuple(each for each in sections if each.parts or each.text),
        why=tuple((row["what"], row["why"]) for row in data["why"]),
    )


def _entry(key: str, value: Any, zone: ZoneInfo) -> Entry:
    label = str(LABELS.get(key) or key)
    if isinstance(value, dict):
        return Entry(label, parts=tuple(_entries(value, zone)))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return Entry(label, parts=tuple(_thing(each, number, zone) for number, each in enumerate(value, 1)))
    return Entry(label, _text(key, value, zone))


def _entries(values: Mapping[str, Any], zone: ZoneInfo) -> Iterator[Entry]:
    for key, value in values.items():
        if value is not None and value not in ("", [], {}):
            yield _entry(key, value, zone)


def _thing(values: Mapping[str, Any], number: int, zone: ZoneInfo) -> Entry:
    """Return one thing of a list, titled by its moment or its name."""
    key = next((each for each in _TITLES if values.get(each)), None)
    title = _text(key, values[key], zone) if key else str(number)
    rest = {name: value for name, value in values.items() if name != key}
    return Entry(title, parts=tuple(_entries(rest, zone)))


def _text(key: str, value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    is_moment = isinstance(value, str) and (key == "at" or key == "since" or key.endswith("_at"))
    return _moment(value, zone) if is_moment else str(value)


def _moment(text: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(text).astimezone(zone)
    return f"{formats.full_day_text(at.date())}, {formats.time_text(at)}"
