"""Settings of the business for its messages: its own texts, and which message goes by which channel.

This module does not know the subjects: the caller says which variables a text may name.
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
    """Return the business's own text of a message; None when the template files are used."""
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
    """Use this text from now on in place of the template files.

    :raises TextProblem: when subject or body name an unknown variable, or cannot be parsed.
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
    """Use the template files again. Return False when they were used already."""
    found = MessageText.objects.filter(kind=kind, recipient_role=role, channel=channel, language=language)
    return found.delete()[0] > 0


@transaction.atomic
def set_rules(*, kind: str, role: RecipientRole, wanted: Mapping[RuleKey, bool]) -> None:
    """Store by which channels, and at which distances from the visit, a message goes.

    Only differences from the defaults are stored. All stored distances that ``wanted`` does not name are deleted. Locks
    the rules of this kind and role: of two concurrent calls the later one applies as a whole.
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
