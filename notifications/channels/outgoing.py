"""What every channel is given, what it answers, and what it has to be able to do."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from notifications.requests import MessageContext
from notifications.wording.rendering import Rendered

# What goes over is cut off, of a text and of what is compared with it later.
LONGEST_TEXT = 1600


@dataclass(frozen=True, slots=True)
class Device:
    """A browser that takes web push: where to send, and the keys to encrypt for it."""

    id: int
    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one person, in words. ``to`` is an e-mail address, a number (E.164) or a person's reference.

    ``message_id`` stays the same when it is sent again; ``status_url`` is where a provider may report what became of
    it. ``template_sid`` and ``template_values`` are for WhatsApp.
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
    """The other side has accepted it; ``provider_ref`` is its name for the message, ``gone_devices`` ids that ended."""

    provider_ref: str = ""
    gone_devices: Collection[int] = ()


class Sender(Protocol):
    """A channel: opened by the first message, closed at the end of the ``with`` block."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def found(self, message: Outgoing, is_ours: Callable[[str, str], bool]) -> Receipt | None:
        """Look whether an earlier try of this message was accepted; None if not, or if the other side cannot say.

        ``is_ours`` is asked with the provider's reference and the text of a candidate.

        :raises TemporaryFailure: when the other side does not answer.
        """

    def send(self, message: Outgoing, now: datetime) -> Receipt:
        """Hand one message over. Returning means that the other side has accepted it.

        :raises TemporaryFailure: try again later; also when the answer was lost and nobody can know.
        :raises PermanentFailure: this recipient or this message is refused for good.
        """
