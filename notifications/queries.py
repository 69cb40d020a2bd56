"""Reads of the message queue, and of the facts about recipients that the gate needs."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from accounts.models import ChannelChoice, Consent, Customer, QuietHours
from accounts.operations import MARKETING_CONSENT
from notifications.addresses import TEXT_CHANNELS, address_hash
from notifications.enums import Channel, NotificationStatus, Purpose, RecipientRole
from notifications.gate import CAP_PERIOD, Facts, Quiet, TextCounts, free_again_at
from notifications.models import InboundMessage, Notification, Suppression
from notifications.requests import AGAIN, ContextRequest

# WhatsApp accepts free text for this long after the person's last message to the business.
WHATSAPP_WINDOW = timedelta(hours=24)
CAP_WINDOW = timedelta(hours=24)
# A row being sent has the end of its claim in ``next_try_at``; no claim is longer than this.
LONGEST_CLAIM = timedelta(minutes=5)
_TEXTED = (NotificationStatus.SENT, NotificationStatus.DELIVERED)
_CUSTOMER = "customer:"


def mails_to(address: str) -> QuerySet[Notification]:
    """The mails to one mailbox, with its domain written in ASCII or in letters."""
    mails = Notification.objects.annotate(mailbox=Lower("address")).filter(channel=Channel.EMAIL)
    return mails.filter(mailbox__in=same_mailbox(normalised_email(address)))


def has_newer(request: ContextRequest, *, kinds: Collection[str]) -> bool:
    """Return whether the same recipient gets a message of these kinds about the same subject with a later version.

    A message that was withdrawn does not count.
    """
    newer = Notification.objects.filter(
        subject_ref=request.subject_ref,
        recipient_role=request.recipient_role,
        kind__in=kinds,
        version__gt=request.version,
    ).exclude(status=NotificationStatus.CANCELLED)
    if request.recipient_role == RecipientRole.STAFF:
        newer = newer.filter(recipient_ref=request.recipient_ref)
    return newer.exists()


def sent_again() -> Exists:
    """Return the condition that staff sent a message (of an outer query) again, so its failure has been dealt with."""
    same = {name: OuterRef(name) for name in ("subject_ref", "kind", "recipient_role", "channel", "address")}
    return Exists(Notification.objects.filter(**same, key__contains=AGAIN, pk__gt=OuterRef("pk")))


def gate_facts(rows: Sequence[Notification], now: datetime) -> Facts:
    """Read the facts about the recipients of these messages, in at most six queries."""
    refs = {row.recipient_ref for row in rows if row.recipient_ref}
    hashes = {(row.channel, row.address): _pseudonym(row) for row in rows if row.channel != Channel.PUSH}
    customers = _customers(refs)
    return Facts(
        hashes=hashes,
        suppressed=_suppressed(set(hashes.values())),
        choices=_choices(refs),
        quiet=_quiet_hours({row.recipient_ref for row in rows if row.can_wait and row.recipient_ref}),
        blocked={ref for ref, is_blocked, _ in customers if is_blocked},
        erased={ref for ref, _, is_erased in customers if is_erased},
        consenting=_consenting({row.recipient_ref for row in rows if row.purpose == Purpose.MARKETING}),
        mailbox_free_at=_free_mailboxes([row for row in rows if row.channel == Channel.EMAIL], now),
    )


def text_counts(row: Notification, now: datetime) -> TextCounts:
    """Count the other text messages of the last 24 hours, to this number and of the whole site.

    Other channels count as zero. A message that is being sent counts, because the provider's answer may have been lost.
    """
    if row.channel not in TEXT_CHANNELS:
        return TextCounts()
    since = now - CAP_WINDOW
    # Two conditions, so that the index of sent and that of open messages apply: most texts never sent are cancelled
    # ones.
    is_sent = Q(status__in=_TEXTED, sent_at__gt=since)
    is_going = Q(status=NotificationStatus.SENDING, next_try_at__gt=since, next_try_at__lte=now + LONGEST_CLAIM)
    others = Notification.objects.filter(is_sent | is_going, channel__in=TEXT_CHANNELS)
    counts = others.exclude(Q(text_hash="") | Q(pk=row.pk)).aggregate(
        site=Count("id"), address=Count("id", filter=Q(address=row.address))
    )
    return TextCounts(counts["address"], counts["site"])


def text_limits() -> TextCounts:
    return TextCounts(settings.SMS_PER_NUMBER_PER_DAY, settings.SMS_PER_DAY)


def may_write_freely(address: str, now: datetime) -> bool:
    """Return whether WhatsApp accepts free text to this number: its owner wrote to us within 24 hours.

    ``address`` is the number's pseudonym.
    """
    return InboundMessage.objects.filter(
        channel=Channel.WHATSAPP, address_hash=address, received_at__gt=now - WHATSAPP_WINDOW
    ).exists()


def _pseudonym(row: Notification) -> str:
    return row.address if row.channel in TEXT_CHANNELS else address_hash(row.channel, row.address)


def _free_mailboxes(rows: Sequence[Notification], now: datetime) -> dict[int, datetime]:
    """Return, by id, when mails may go whose mailbox has reached MAILS_PER_ADDRESS_PER_HOUR. One query.

    For a customer all mails count; for a staff member only mails about the same subject, because a busy day is not
    abuse. A mail that is being sent counts only for rows with a higher id. A mail that staff sent again neither counts
    nor waits.
    """
    wanted = [row for row in rows if AGAIN not in row.key]
    if not wanted:
        return {}
    boxes = {row.pk: same_mailbox(normalised_email(row.address)) for row in wanted}
    is_sent = Q(status__in=_TEXTED, sent_at__gt=now - CAP_PERIOD)
    is_going = Q(status=NotificationStatus.SENDING, next_try_at__gt=now, next_try_at__lte=now + LONGEST_CLAIM)
    mails = Notification.objects.annotate(mailbox=Lower("address")).filter(
        is_sent | is_going, channel=Channel.EMAIL, mailbox__in={each for box in boxes.values() for each in box}
    )
    names = ("pk", "mailbox", "recipient_role", "subject_ref", "sent_at")
    counted = list(mails.exclude(key__contains=AGAIN).values_list(*names))
    found = {}
    for row in wanted:
        others = [
            sent_at or now
            for pk, mailbox, role, subject_ref, sent_at in counted
            if mailbox in boxes[row.pk]
            and role == row.recipient_role
            and (role == RecipientRole.CUSTOMER or subject_ref == row.subject_ref)
            and (sent_at is not None or pk < row.pk)
        ]
        if free_at := free_again_at(others, limit=settings.MAILS_PER_ADDRESS_PER_HOUR):
            found[row.pk] = free_at
    return found


def _suppressed(pseudonyms: Collection[str]) -> dict[tuple[str, str], str]:
    rows = Suppression.objects.filter(address_hash__in=pseudonyms).values_list("channel", "address_hash", "reason")
    return {(channel, pseudonym): reason for channel, pseudonym, reason in rows}


def _choices(refs: Collection[str]) -> dict[tuple[str, str], bool]:
    if not refs:
        return {}
    rows = ChannelChoice.objects.filter(person_ref__in=refs).values_list("person_ref", "channel", "is_on")
    return {(ref, channel): is_on for ref, channel, is_on in rows}


def _quiet_hours(refs: Collection[str]) -> dict[str, Quiet]:
    if not refs:
        return {}
    rows = QuietHours.objects.filter(person_ref__in=refs)
    return {row.person_ref: Quiet(row.start_minute, row.end_minute, ZoneInfo(row.time_zone)) for row in rows}


def _customers(refs: Collection[str]) -> list[tuple[str, bool, bool]]:
    """Return (reference, is blocked, is erased) of those customers among ``refs`` who are blocked or erased."""
    ids = _customer_ids(refs)
    if not ids:
        return []
    odd = Customer.objects.filter(Q(is_blocked=True) | Q(erased_at__isnull=False), pk__in=ids)
    rows = odd.values_list("pk", "is_blocked", "erased_at")
    return [(f"{_CUSTOMER}{pk}", is_blocked, erased_at is not None) for pk, is_blocked, erased_at in rows]


def _consenting(refs: Collection[str]) -> set[str]:
    ids = _customer_ids(refs)
    if not ids:
        return set()
    given = Consent.objects.filter(purpose=MARKETING_CONSENT, withdrawn_at=None, customer_id__in=ids)
    return {f"{_CUSTOMER}{pk}" for pk in given.values_list("customer_id", flat=True)}


def _customer_ids(refs: Collection[str]) -> list[int]:
    return [int(ref.removeprefix(_CUSTOMER)) for ref in refs if ref.startswith(_CUSTOMER)]
