"""Reads of people's choices about messages."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.models import ChannelChoice, Consent, QuietHours
from accounts.operations import MARKETING_CONSENT


@dataclass(frozen=True, slots=True)
class MessageChoices:
    """``channels`` holds only explicit choices; any other channel is wanted. ``quiet`` is None without quiet hours."""

    channels: Mapping[str, bool]
    quiet: QuietHours | None
    wants_news: bool

    def wants(self, channel: str) -> bool:
        return self.channels.get(channel, True)


def message_choices(person_ref: str, customer_id: int | None = None) -> MessageChoices:
    """Read a person's choices in at most three queries. Only customers can have consented to news."""
    chosen = ChannelChoice.objects.filter(person_ref=person_ref).values_list("channel", "is_on")
    given = Consent.objects.filter(purpose=MARKETING_CONSENT, withdrawn_at=None)
    return MessageChoices(
        channels=dict(chosen),
        quiet=QuietHours.objects.filter(person_ref=person_ref).first(),
        wants_news=customer_id is not None and given.filter(customer_id=customer_id).exists(),
    )
