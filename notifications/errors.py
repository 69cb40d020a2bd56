"""Errors of a delivery. The channel decides which one it is; no error of a vendor's library leaves a channel."""

from collections.abc import Collection

from notifications.enums import SuppressionReason


class DeliveryFailed(Exception):
    """The message was not accepted. The text goes to the message log: codes and words of the provider, no addresses."""


class TemporaryFailure(DeliveryFailed):
    """Worth another try. ``stops_batch`` means that the connection is lost, so the next message would fail as well."""

    def __init__(self, reason: str, *, stops_batch: bool = False) -> None:
        super().__init__(reason)
        self.stops_batch = stops_batch


class PermanentFailure(DeliveryFailed):
    """The provider will never accept this recipient or this message.

    ``suppression`` is set when no message will ever reach this address by this channel. ``gone_devices`` are ids of
    push subscriptions that ended.
    """

    def __init__(
        self, reason: str, *, suppression: SuppressionReason | None = None, gone_devices: Collection[int] = ()
    ) -> None:
        super().__init__(reason)
        self.suppression = suppression
        self.gone_devices = gone_devices
