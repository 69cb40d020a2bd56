"""What people chose about messages."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import ChannelChoice, Consent, QuietHours
from accounts.operations import MARKETING_CONSENT


@dataclass(frozen=True, slots=True)
class MessageChoices:
    """``channels`` holds only what was chosen; a channel without a choice is wanted. ``quiet`` is None for never."""

    channels: Mapping[str, bool]
    quiet: QuietHours | None
    wants_news: bool

    def wants(self, channel: str) -> bool:
        return self.channels.get(channel, True)


def message_choices(person_ref: str, customer_id: int | None = None) -> MessageChoices:
    """Read a person's choices; only a customer can have asked for news. Three queries."""
    chosen = ChannelChoice.objects.filter(person_ref=person_ref).values_list("channel", "is_on")
    given = Consent.objects.filter(purpose=MARKETING_CONSENT, withdrawn_at=None)
    return MessageChoices(
        channels=dict(chosen),
        quiet=QuietHours.objects.filter(person_ref=person_ref).first(),
        wants_news=customer_id is not None and given.filter(customer_id=customer_id).exists(),
    )
