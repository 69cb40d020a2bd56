"""Rules: which event sends a message to whom, by which channel and how long before or after a visit.

MessageRule rows override the defaults here. Rules are read often and changed rarely, so each process caches them for
MESSAGE_RULES_KEPT_SECONDS.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from notifications.channel_types import CHANNELS
from notifications.enums import Channel, RecipientRole
from notifications.models import MessageRule

# Minutes before the start for reminders, after the end for review requests and follow-ups.
DEFAULT_OFFSETS: Mapping[str, tuple[int, ...]] = {
    "reminder": (1440, 60),
    "review_request": (180,),
    "follow_up": (7 * 1440,),
}
# Not an event: whether a text message replaces an e-mail that failed for good.
FALLBACK = "fallback"
# Kinds that are not sent until the business switches them on.
OFF_BY_DEFAULT = frozenset({"review_request", "follow_up"})

_Key = tuple[str, str, str, int | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """The MessageRule rows as a table: (kind, role, channel, offset) → on or off."""

    rows: Mapping[_Key, bool]

    def is_on(self, kind: str, role: RecipientRole, channel: Channel, offset_minutes: int | None = None) -> bool:
        """Return whether the event sends a message by the channel, at this distance from the visit if it has one."""
        own = self.rows.get((kind, role, channel, offset_minutes))
        if own is not None:
            return own
        if kind == FALLBACK:
            return channel == Channel.SMS
        is_usual = offset_minutes is None or offset_minutes in DEFAULT_OFFSETS.get(kind, ())
        return is_usual and kind not in OFF_BY_DEFAULT and CHANNELS[channel].is_on_by_default

    def offsets(self, kind: str, role: RecipientRole, channel: Channel) -> list[int]:
        """Return the distances in minutes at which the event sends a message by the channel, farthest first."""
        own = {offset for (a, b, c, offset) in self.rows if (a, b, c) == (kind, role, channel) and offset is not None}
        candidates = own | set(DEFAULT_OFFSETS.get(kind, ()))
        return sorted((each for each in candidates if self.is_on(kind, role, channel, each)), reverse=True)


def current_rules() -> Rules:
    """Return the cached rules, at most MESSAGE_RULES_KEPT_SECONDS old."""
    return _kept.rules()


def forget_rules() -> None:
    """Empty this process's cache; call it after a change. Other processes notice when their cache expires."""
    _kept.forget()


class _Kept:
    def __init__(self) -> None:
        self._rules: Rules | None = None
        self._until = 0.0

    def rules(self) -> Rules:
        if self._rules is None or time.monotonic() >= self._until:
            rows = MessageRule.objects.values_list("kind", "recipient_role", "channel", "offset_minutes", "is_on")
            self._rules = Rules({(kind, role, channel, offset): is_on for kind, role, channel, offset, is_on in rows})
            self._until = time.monotonic() + settings.MESSAGE_RULES_KEPT_SECONDS
        return self._rules

    def forget(self) -> None:
        self._rules = None


_kept = _Kept()
