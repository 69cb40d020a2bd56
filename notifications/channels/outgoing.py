"""The interface of every channel: its input (Outgoing), its answer (Receipt) and its methods (Sender)."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from notifications.requests import MessageContext
from notifications.wording.rendering import Rendered

# Longer texts are cut, both when sent and when compared with a message at the provider.
LONGEST_TEXT = 1600


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that is registered for web push: where to send, and the keys to encrypt with."""

    id: int
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One rendered message to one person. ``to`` is an e-mail address, a number (E.164) or a person's reference.

    ``message_id`` is the same at each try. ``status_url`` is where a provider may report the outcome. ``template_sid``
    and ``template_values`` are for WhatsApp.
    """

    to: str
    language: str
    words: Rendered
    context: MessageContext
    message_id: str
    due_at: datetime
    expires_at: datetime | None = None
    status_url: str = ""
    devices: Sequence[Device] = ()
    template_sid: str = ""
    template_values: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has accepted the message.

    ``provider_ref`` is its id there; ``gone_devices`` are ids of ended devices.
    """

    provider_ref: str = ""
    gone_devices: Collection[int] = ()


class Sender(Protocol):
    """A channel: opened by the first message, closed at the end of the ``with`` block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def found(self, message: Outgoing, is_ours: Callable[[str, str], bool]) -> Receipt | None:
        """Return the receipt of an earlier try that was accepted; None if none is found.

        ``is_ours`` takes the provider's reference and the text of a candidate. A provider that cannot be asked always
        gives None.

        :raises TemporaryFailure: when the provider does not answer.
        """

    def send(self, message: Outgoing, now: datetime) -> Receipt:
        """Hand one message over. A return means that the provider has accepted it.

        :raises TemporaryFailure: try again later. Also raised when the answer is lost, so the outcome is unknown.
        :raises PermanentFailure: the provider refuses this recipient or this message for good.
        """
