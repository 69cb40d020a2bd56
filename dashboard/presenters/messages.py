"""The messages of the business as the owner reads them: recipients, channels, times and texts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from bookings.messages.catalogue import TYPES
from bookings.messages.types import MessageType, Timing
from notifications.enums import Channel, RecipientRole
from notifications.models import MessageText
from notifications.rules import Rules
from notifications.wording.sms_length import sms_length

_DAY = 1440


@dataclass(frozen=True, slots=True)
class Row:
    """One message in the list. ``ways`` names its channels; empty for none."""

    label: str
    told: str
    ways: str
    url: str
    has_own_words: bool


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class TextRow:
    """The text of one message in one channel."""

    label: str
    note: str
    url: str


def groups(rules: Rules, texts: Iterable[MessageText]) -> list[Group]:
    own = {(text.kind, text.recipient_role) for text in texts}
    return [
        Group(title, tuple(_row(each, rules, own) for each in TYPES if each.role == role))
        for role, title in (
            (RecipientRole.CUSTOMER, gettext("To customers")),
            (RecipientRole.STAFF, gettext("To your staff")),
        )
    ]


def text_rows(of: MessageType, texts: Iterable[MessageText]) -> list[TextRow]:
    own = {text.channel for text in texts if (text.kind, text.recipient_role) == (of.kind, of.role)}
    return [
        TextRow(
            str(capfirst(channel.label)),
            gettext("in your own words") if channel in own else gettext("our default"),
            reverse("desk_message_text", args=[of.kind, of.role, channel]),
        )
        for channel in Channel
    ]


def distance_text(offset: int | None, timing: Timing) -> str:
    """Return text such as "1 day before" or "3 hours after"; empty for a message that is sent at once."""
    if offset is None:
        return ""
    if offset % _DAY == 0:
        words = ngettext("%(count)d day", "%(count)d days", offset // _DAY) % {"count": offset // _DAY}
    elif offset % 60 == 0:
        words = ngettext("%(count)d hour", "%(count)d hours", offset // 60) % {"count": offset // 60}
    else:
        words = ngettext("%(count)d minute", "%(count)d minutes", offset) % {"count": offset}
    pattern = gettext("%(length)s before") if timing is Timing.BEFORE else gettext("%(length)s after")
    return pattern % {"length": words}


def length_text(text: str) -> str:
    """Return the number of SMS that a text takes, and the characters that raise its cost."""
    length = sms_length(text)
    words = ngettext(
        "%(units)d of %(room)d characters, %(parts)d SMS",
        "%(units)d of %(room)d characters, %(parts)d SMS",
        length.parts,
    ) % {"units": length.units, "room": length.room, "parts": length.parts}
    if not length.odd:
        return words
    signs = " ".join(length.odd[:8])
    return gettext("%(length)s. These signs more than double its cost: %(signs)s") % {"length": words, "signs": signs}


def parts_text(parts: int) -> str:
    """Return text such as "1 SMS" or "3 SMS"."""
    return ngettext("%(count)d SMS", "%(count)d SMS", parts) % {"count": parts}


def _row(of: MessageType, rules: Rules, own: Collection[tuple[str, str]]) -> Row:
    return Row(
        label=str(of.label),
        told=str(of.told_when),
        ways=_ways(of, rules),
        url=reverse("desk_message", args=[of.kind, of.role]),
        has_own_words=(of.kind, of.role) in own,
    )


def _ways(of: MessageType, rules: Rules) -> str:
    if of.timing not in {Timing.BEFORE, Timing.AFTER}:
        on = [str(channel.label) for channel in Channel if _is_on(of, rules, channel)]
        return ", ".join(on)
    parts = []
    for channel in Channel:
        distances = [distance_text(each, of.timing) for each in rules.offsets(of.kind, of.role, channel)]
        if distances:
            parts.append(f"{channel.label}: {', '.join(distances)}")
    return " · ".join(parts)


def _is_on(of: MessageType, rules: Rules, channel: Channel) -> bool:
    return (of.is_needed and channel == Channel.EMAIL) or rules.is_on(of.kind, of.role, channel)
