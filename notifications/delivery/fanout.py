"""Splits one message request into one per channel.

A channel is used if the rules name it, the site has set it up, and it reaches the person.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from notifications.addresses import TEXT_CHANNELS
from notifications.channel_types import CHANNELS, AddressKind
from notifications.enums import Channel, RecipientRole
from notifications.models import PushSubscription
from notifications.requests import MessageRequest
from notifications.rules import Rules, current_rules


def per_channel(requests: Sequence[MessageRequest]) -> list[MessageRequest]:
    """Return a request for each channel. The e-mail keeps the key; other channels append their name to it."""
    if all(request.channel for request in requests):
        return list(requests)
    rules, with_devices = current_rules(), _with_devices(requests)
    return [each for request in requests for each in _per_channel(request, rules, with_devices)]


def channels_for(kind: str, role: RecipientRole, *, address: str, phone: str, recipient_ref: str = "") -> list[Channel]:
    """Return the channels by which a message of this kind would go to a person, without the person's own choices."""
    request = MessageRequest(
        kind=kind,
        subject_ref="",
        version=0,
        recipient_role=role,
        recipient_ref=recipient_ref,
        address=address,
        phone=phone,
        language="",
        key="",
    )
    return [each.channel for each in per_channel([request]) if each.channel]


def configured_text_channels() -> list[Channel]:
    """Return the channels to phones (SMS, WhatsApp) for which this site has an account and a sender."""
    return [channel for channel in TEXT_CHANNELS if CHANNELS[channel].is_configured()]


def _per_channel(request: MessageRequest, rules: Rules, with_devices: Collection[str]) -> list[MessageRequest]:
    if request.channel:
        return [request]
    reaches = {
        AddressKind.MAILBOX: bool(request.address),
        AddressKind.PHONE: bool(request.phone),
        AddressKind.DEVICES: request.recipient_ref in with_devices,
    }
    reachable = [each for each, known in CHANNELS.items() if reaches[known.address] and known.is_configured()]
    offset = request.details.get("offset_minutes")
    wanted = [each for each in reachable if rules.is_on(request.kind, request.recipient_role, each, offset)]
    return [replace(request, channel=each, key=_key(request.key, each)) for each in wanted]


def _key(key: str, channel: Channel) -> str:
    return key if channel is Channel.EMAIL else f"{key}:{channel}"


def _with_devices(requests: Sequence[MessageRequest]) -> set[str]:
    refs = {request.recipient_ref for request in requests if request.recipient_ref and not request.channel}
    if not CHANNELS[Channel.PUSH].is_configured() or not refs:
        return set()
    return set(PushSubscription.objects.filter(person_ref__in=refs).values_list("person_ref", flat=True))
