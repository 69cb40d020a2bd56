"""What the business decides about its messages: its own words, and which of them go by which channel.

Subjects are not known here: whoever calls says which variables a text may name.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from core.locks import one_at_a_time
from notifications.enums import Channel, RecipientRole
from notifications.models import MessageRule, MessageText
from notifications.rules import Rules, forget_rules
from notifications.wording.template_language import parsed

RuleKey = tuple[Channel, int | None]


def own_text(*, kind: str, role: str, channel: str, language: str) -> MessageText | None:
    """Return the business's own words for a message; None where the files speak."""
    return MessageText.objects.filter(kind=kind, recipient_role=role, channel=channel, language=language).first()


def keep_text(
    *,
    kind: str,
    role: str,
    channel: str,
    language: str,
    subject: str,
    body: str,
    template_sid: str,
    known: Collection[str],
    user_id: int,
    now: datetime,
) -> MessageText:
    """Send these words from now on in place of those of the files.

    :raises TextProblem: when subject or body name what is not known, or cannot be read.
    """
    parsed(subject, known)
    parsed(body, known)
    values = {
        "subject": " ".join(subject.split()),
        "body": body,
        "whatsapp_template_sid": template_sid,
        "updated_at": now,
        "updated_by_id": user_id,
    }
    text, _ = MessageText.objects.update_or_create(
        kind=kind, recipient_role=role, channel=channel, language=language, defaults=values
    )
    return text


def restore_default(*, kind: str, role: str, channel: str, language: str) -> bool:
    """Send the words of the files again; False when they were sent already."""
    found = MessageText.objects.filter(kind=kind, recipient_role=role, channel=channel, language=language)
    return found.delete()[0] > 0


@transaction.atomic
def set_rules(*, kind: str, role: RecipientRole, wanted: Mapping[RuleKey, bool]) -> None:
    """Keep by which channels, and at which distances from the visit, a message goes. Only what differs from the usual
    is written down. Distances not named are no longer kept. Of two at the same moment the later one is obeyed whole.
    """
    one_at_a_time(f"rules:{kind}:{role}")
    rows = MessageRule.objects.filter(kind=kind, recipient_role=role)
    rows.filter(~Q(offset_minutes=None) | Q(channel__in={channel for channel, _ in wanted})).delete()
    usual = Rules({})
    MessageRule.objects.bulk_create(
        MessageRule(kind=kind, recipient_role=role, channel=channel, offset_minutes=offset, is_on=is_on)
        for (channel, offset), is_on in wanted.items()
        if is_on != usual.is_on(kind, role, channel, offset)
    )
    transaction.on_commit(forget_rules)
