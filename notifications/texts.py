"""The business's own words for messages, which go before the files in templates/notifications.

Own words name variables as ``{{ name }}`` and nothing else: they are filled in, never evaluated.
"""

import re
from collections.abc import Collection, Mapping

from notifications.models import MessageText

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def own_text(*, kind: str, recipient_role: str, channel: str, language: str) -> MessageText | None:
    """Return the business's own words for a message; None where the files speak."""
    return MessageText.objects.filter(
        kind=kind, recipient_role=recipient_role, channel=channel, language=language
    ).first()


def filled(text: str, words: Mapping[str, str]) -> str:
    """Put the words in the place of their names. What a word contains is never read as a variable."""
    return _VARIABLE.sub(lambda found: words.get(found[1], ""), text)


def variables_in(text: str) -> list[str]:
    """Return the names in a text in order, each once."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def unknown_variables(text: str, known: Collection[str]) -> list[str]:
    """Return what stands between double braces and is no known name, as it was typed."""
    between = re.findall(r"\{\{(.*?)\}\}", text, re.DOTALL)
    return [name for name in dict.fromkeys(part.strip() for part in between) if name not in known]
