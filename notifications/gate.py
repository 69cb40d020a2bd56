"""The gate: decides whether a message may go to its recipient now.

Only this module checks opt-outs, dead addresses, consents, quiet hours and limits. Pure: takes a message and the facts
about its recipient, returns a verdict.

A person who switches e-mail off gets no reminders and no marketing. Messages about what was agreed, changed or paid
still go by e-mail, because they have to arrive somewhere. Any other channel that is switched off sends nothing. A
customer whom the business blocked gets only receipts, changes and cancellations of existing bookings, no reminders and
no news.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from notifications.addresses import TEXT_CHANNELS
from notifications.enums import Channel, NotificationStatus, Purpose, SuppressionReason
from notifications.quiet_hours import quiet_until

# The period over which mails to one mailbox are counted.
CAP_PERIOD = timedelta(hours=1)
TOO_LATE = "It came too late to be of use."

_SUPPRESSED = {
    SuppressionReason.STOP: "The person answered STOP.",
    SuppressionReason.UNSUBSCRIBED: "The person unsubscribed.",
    SuppressionReason.BOUNCED: "E-mails to this address come back.",
    SuppressionReason.COMPLAINED: "The person reported us as spam.",
    SuppressionReason.UNREACHABLE: "This phone number cannot receive SMS.",
}
# The person did not decide this: the address is dead. It counts as a failure, so that staff learn of it.
_DEAD = {SuppressionReason.BOUNCED, SuppressionReason.UNREACHABLE}


class Message(Protocol):
    """The attributes that the gate reads; Notification has them."""

    channel: str
    address: str
    recipient_ref: str
    purpose: str
    can_wait: bool
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours of a person, in minutes from local midnight."""

    start_minute: int
    end_minute: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class TextCounts:
    """Text messages of the last 24 hours: to one number, and of the whole site. Also used for the limits of both."""

    to_address: int = 0
    of_site: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the recipients of some messages. ``hashes`` maps (channel, address) to the pseudonym."""

    hashes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    suppressed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    choices: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    quiet: Mapping[str, Quiet] = field(default_factory=dict)
    blocked: Collection[str] = ()
    erased: Collection[str] = ()
    consenting: Collection[str] = ()
    # For messages (by id) whose mailbox has reached its hourly limit: when the mailbox may get the message.
    mailbox_free_at: Mapping[int, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Send the message (no field set), end it with a status and a reason, or try again at ``until``."""

    status: NotificationStatus | None = None
    reason: str = ""
    until: datetime | None = None


SEND = Verdict()


def verdict(
    message: Message,
    facts: Facts,
    now: datetime,
    *,
    texts: TextCounts,
    limits: TextCounts,
    mailbox_free_at: datetime | None = None,
) -> Verdict:
    """Decide about one message. Reasons go to the message log: plain words, no addresses.

    ``mailbox_free_at`` is set when the mailbox has reached its hourly limit. The message then waits until that time,
    unless it expires first. A newer message may have replaced it by then.
    """
    if message.expires_at is not None and message.expires_at <= now:
        return _drop(TOO_LATE)
    if message.recipient_ref in facts.erased:
        return _drop("The person had their data erased.")
    if message.recipient_ref in facts.blocked and not _is_transactional(message):
        return _drop("The business blocked this person: only what concerns their bookings and money is sent.")
    for rule in (_suppression, _choice, _marketing):
        found = rule(message, facts)
        if found is not None:
            return found
    return _caps(message, texts, limits) or _full(message, mailbox_free_at) or _quiet(message, facts, now)


def _is_transactional(message: Message) -> bool:
    """Return whether the message says what was agreed, changed, paid or refunded; reminders and marketing do not."""
    return not message.can_wait and message.purpose == Purpose.SERVICE


def _suppression(message: Message, facts: Facts) -> Verdict | None:
    pseudonym = facts.hashes.get((message.channel, message.address), message.address)
    reason = facts.suppressed.get((message.channel, pseudonym))
    if reason is None:
        return None
    if reason == SuppressionReason.UNSUBSCRIBED and message.purpose != Purpose.MARKETING:
        return None
    known = SuppressionReason(reason)
    if known in _DEAD:
        return Verdict(NotificationStatus.PERMANENT_FAILURE, _SUPPRESSED[known])
    return _drop(_SUPPRESSED[known])


def _choice(message: Message, facts: Facts) -> Verdict | None:
    if facts.choices.get((message.recipient_ref, message.channel), True):
        return None
    has_to_reach = message.channel == Channel.EMAIL and _is_transactional(message)
    return None if has_to_reach else _drop("The person wants no messages by this channel.")


def _marketing(message: Message, facts: Facts) -> Verdict | None:
    if message.purpose != Purpose.MARKETING:
        return None
    if message.recipient_ref not in facts.consenting:
        return _drop("The person did not ask for news.")
    return None


def _caps(message: Message, texts: TextCounts, limits: TextCounts) -> Verdict | None:
    if message.channel not in TEXT_CHANNELS:
        return None
    if texts.to_address >= limits.to_address:
        return _drop("This number had its texts of today.")
    if texts.of_site >= limits.of_site:
        return Verdict(NotificationStatus.PERMANENT_FAILURE, "The texts of today are used up (SMS_PER_DAY).")
    return None


def _full(message: Message, mailbox_free_at: datetime | None) -> Verdict | None:
    if mailbox_free_at is None:
        return None
    if message.expires_at is not None and message.expires_at <= mailbox_free_at:
        return _drop("This mailbox had its mails of the hour (MAILS_PER_ADDRESS_PER_HOUR).")
    return Verdict(until=mailbox_free_at)


def free_again_at(sent: Sequence[datetime], *, limit: int) -> datetime | None:
    """Return when a mailbox may get another mail; None means now.

    ``sent`` are the times of its mails in the last hour, in any order.
    """
    if len(sent) < limit:
        return None
    return sorted(sent)[len(sent) - limit] + CAP_PERIOD


def _quiet(message: Message, facts: Facts, now: datetime) -> Verdict:
    hours = facts.quiet.get(message.recipient_ref)
    if not message.can_wait or hours is None:
        return SEND
    until = quiet_until(now, start_minute=hours.start_minute, end_minute=hours.end_minute, zone=hours.zone)
    if until is None:
        return SEND
    if message.expires_at is not None and message.expires_at <= until:
        return _drop("The person's quiet hours last until it is of no use.")
    return Verdict(until=until)


def _drop(reason: str) -> Verdict:
    return Verdict(NotificationStatus.CANCELLED, reason)
