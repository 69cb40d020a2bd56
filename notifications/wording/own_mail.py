"""Turns the business's own text of an e-mail into blocks for the mail layout.

Owners write text, never HTML. A paragraph that consists of a link's name becomes a button; one that consists of the
card's name becomes the card with the subject's facts. URLs become links only in the owner's own text: a customer whose
name looks like a URL gets no link in our mail.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.html import escape, format_html, urlize
from django.utils.safestring import SafeString, mark_safe

from notifications.wording.template_language import filled

# Put around a name while the owner's text is escaped and linked. Control characters are removed from that text first.
_OPEN, _CLOSE = "\x02", "\x03"
_MARK = re.compile(f"{_OPEN}(\\w+){_CLOSE}")
# How ``urlize`` writes a marked name inside a URL.
_MARK_IN_ADDRESS = re.compile(r"%02(\w+)%03")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph as ``html``, a button to ``url``, or the card (both empty)."""

    html: SafeString | str = ""
    url: str = ""
    label: str = ""


def blocks(body: str, words: Mapping[str, str], *, labels: Mapping[str, str], card: str = "") -> list[Block]:
    """Split a text into blocks. ``labels`` maps link names to button labels; ``card`` is the name of the card.

    :raises TextProblem: when the text cannot be parsed.
    """
    marks = {name: f"{_OPEN}{name}{_CLOSE}" for name, word in words.items() if word.strip()}
    text = filled(_CONTROL.sub(" ", body), marks)
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", text))
    return [_block(part, words, labels, card) for part in paragraphs if part]


def _block(paragraph: str, words: Mapping[str, str], labels: Mapping[str, str], card: str) -> Block:
    alone = _MARK.fullmatch(paragraph)
    if alone and alone[1] in labels:
        return Block(url=words[alone[1]], label=labels[alone[1]])
    if alone and alone[1] == card:
        return Block()
    return Block(html=_paragraph(paragraph, words, labels))


def _paragraph(paragraph: str, words: Mapping[str, str], labels: Mapping[str, str]) -> SafeString:
    """Escape the owner's text, link the URLs in it, then insert the escaped values."""
    linked = str(urlize(paragraph, autoescape=True))

    def word(mark: re.Match[str]) -> str:
        text = words[mark[1]]
        if mark[1] in labels and not _is_in_tag(linked, mark.start()):
            return format_html('<a class="link" href="{}">{}</a>', text, text)
        return str(escape(text))

    with_words = _MARK.sub(word, linked).replace("\n", "<br>")
    with_addresses = _MARK_IN_ADDRESS.sub(lambda mark: quote(words.get(mark[1], ""), safe=""), with_words)
    return mark_safe(with_addresses)  # noqa: S308 (escaped above, piece by piece)


def _is_in_tag(html: str, at: int) -> bool:
    return html.rfind("<", 0, at) > html.rfind(">", 0, at)
