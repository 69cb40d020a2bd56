"""What a merge of two records of one customer does to the people's side: rules as pure functions, and the rows.

``bookings.operations.merge_customers`` is the operation.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from accounts.contact.mailboxes import normalised_email
from accounts.models import ChannelChoice, Consent, Customer, QuietHours
from accounts.operations import MARKETING_CONSENT
from core.errors import Refused


class Obstacle(StrEnum):
    """Why two records cannot become one."""

    SAME = "same"
    ERASED = "erased"
    SIGN_INS = "sign_ins"
    MAILBOXES = "mailboxes"
    ONCE = "once"


class CannotMerge(Refused):
    """``data["obstacle"]`` says why."""

    code = "cannot_merge"


SENTENCES = {
    Obstacle.SAME: _("This is one and the same record."),
    Obstacle.ERASED: _("One of the two was erased. Nothing can be moved to it or from it."),
    Obstacle.SIGN_INS: _(
        "Both have a sign-in of their own, and one would be lost. Ask the customer which one to close, then merge."
    ),
    Obstacle.MAILBOXES: _(
        "Both have confirmed their e-mail address, and the addresses differ. Say that only the chosen one counts from"
        " now on."
    ),
    Obstacle.ONCE: _("Both have an open request about their data. Answer one of the two first, then merge."),
}


@dataclass(frozen=True, slots=True)
class Flags:
    is_blocked: bool
    is_prepayment_exempt: bool


def obstacle_of(kept: Customer, other: Customer, *, gives_up_mailbox: bool) -> Obstacle | None:
    """Return what forbids to merge ``other`` into ``kept``; None if nothing does.

    ``gives_up_mailbox``: staff know that a confirmed address of ``other`` is not the customer's address any more.
    """
    if kept.pk == other.pk:
        return Obstacle.SAME
    if kept.erased_at or other.erased_at:
        return Obstacle.ERASED
    if kept.user_id and other.user_id:
        return Obstacle.SIGN_INS
    if have_two_mailboxes(kept, other) and not gives_up_mailbox:
        return Obstacle.MAILBOXES
    return None


def have_two_mailboxes(one: Customer, other: Customer) -> bool:
    """Return whether the customer acted from the mailboxes of both records, and they are different ones."""
    are_proven = one.email_proven_at is not None and other.email_proven_at is not None
    return are_proven and normalised_email(one.email) != normalised_email(other.email)


def stricter(one: Flags, other: Flags) -> Flags:
    """Return the flags of the merged record, where nobody chooses: blocked if either is, exempt only if both are."""
    return Flags(one.is_blocked or other.is_blocked, one.is_prepayment_exempt and other.is_prepayment_exempt)


def flags_of(customer: Customer) -> Flags:
    return Flags(customer.is_blocked, customer.is_prepayment_exempt)


def merged_tags(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return the tags of both, each once, whatever its case."""
    known = {tag.casefold() for tag in one}
    return [*one, *(tag for tag in other if tag.casefold() not in known)]


def merge_stamp(one: Customer, other: Customer) -> str:
    """Return a digest of what a preview shows of both records, in either order."""
    shown = sorted(
        f"{each.pk}|{each.name}|{each.email}|{each.phone}|{each.language}|{each.email_proven_at}|{each.user_id}"
        f"|{flags_of(each)}|{sorted(each.tags)}"
        for each in (one, other)
    )
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:16]


def take_over(kept: Customer, other: Customer, *, flags: Flags, now: datetime) -> None:
    """Move the person's choices, tags, flags and user from ``other`` to ``kept``, and make ``other`` lead there.

    Both rows are locked, and nothing else refers to ``other`` any more.
    """
    is_one_mailbox = bool(kept.email) and normalised_email(kept.email) == normalised_email(other.email or "-")
    _take_choices(f"customer:{kept.pk}", f"customer:{other.pk}", now)
    Customer.objects.filter(merged_into=other).update(merged_into=kept, is_blocked=flags.is_blocked)
    Customer.objects.filter(merged_into=kept).update(is_blocked=flags.is_blocked)
    user_id, mailbox = other.user_id, other.email_normalised
    proven = [each for each in (kept.email_proven_at, other.email_proven_at if is_one_mailbox else None) if each]
    kept.notes = "\n\n".join(text for text in (kept.notes, other.notes) if text)
    kept.tags = merged_tags(kept.tags, other.tags)
    kept.created_at = min(kept.created_at, other.created_at)
    kept.is_blocked, kept.is_prepayment_exempt = flags.is_blocked, flags.is_prepayment_exempt
    kept.email_proven_at = min(proven) if proven else None
    # Only one row at a time may have the user and own the mailbox.
    other.user_id, other.notes, other.tags = None, "", []
    other.is_blocked, other.is_prepayment_exempt = flags.is_blocked, False
    if is_one_mailbox and kept.email_normalised is None:
        other.email_normalised = None
        kept.email_normalised = mailbox
    other.merged_into = kept
    other.save()
    kept.user_id = kept.user_id or user_id
    kept.save()


def end_declined_news(kept: Customer, other: Customer, now: datetime) -> None:
    """Withdraw the consents to news of both records if the customer has withdrawn them in one. Before they move."""
    news = Consent.objects.filter(purpose=MARKETING_CONSENT)
    for of in (kept, other):
        given = list(news.filter(customer=of).values_list("withdrawn_at", flat=True))
        if given and None not in given:
            news.filter(customer__in=(kept, other), withdrawn_at=None).update(withdrawn_at=now)


def _take_choices(kept_ref: str, other_ref: str, now: datetime) -> None:
    """Move the choices about messages. A channel that is off in one record stays off; own quiet hours win."""
    own = dict(ChannelChoice.objects.filter(person_ref=kept_ref).values_list("channel", "is_on"))
    for choice in ChannelChoice.objects.filter(person_ref=other_ref):
        if choice.channel not in own:
            ChannelChoice.objects.filter(pk=choice.pk).update(person_ref=kept_ref)
        elif own[choice.channel] and not choice.is_on:
            both = ChannelChoice.objects.filter(person_ref=kept_ref, channel=choice.channel)
            both.update(is_on=False, updated_at=now)
    ChannelChoice.objects.filter(person_ref=other_ref).delete()
    if not QuietHours.objects.filter(person_ref=kept_ref).exists():
        QuietHours.objects.filter(person_ref=other_ref).update(person_ref=kept_ref)
    QuietHours.objects.filter(person_ref=other_ref).delete()
