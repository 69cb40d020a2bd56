"""How a delivery can fail. The channel decides which it is; nothing of the vendor's errors gets past it."""

from collections.abc import Collection

from notifications.enums import SuppressionReason


class DeliveryFailed(Exception):
    """The message was not taken. The text is for the message log: codes and words of the other side, no addresses."""


class TemporaryFailure(DeliveryFailed):
    """Worth trying again. ``stops_batch``: the connection is gone, so the next message would fail as well."""

    def __init__(self, reason: str, *, stops_batch: bool = False) -> None:
        super().__init__(reason)
        self.stops_batch = stops_batch


class PermanentFailure(DeliveryFailed):
    """This recipient or this message will never be taken.

    ``suppression`` says that nothing will ever get to this address by this channel; ``gone_devices`` are ids of push
    subscriptions that ended.
    """

    def __init__(
        self, reason: str, *, suppression: SuppressionReason | None = None, gone_devices: Collection[int] = ()
    ) -> None:
        super().__init__(reason)
        self.suppression = suppression
        self.gone_devices = gone_devices
