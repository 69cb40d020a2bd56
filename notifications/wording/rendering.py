"""Renders a message context as text, in the active language.

The business's own text is used if there is one, else the files under templates/notifications. ``sms.txt`` serves all
channels that carry a few lines. A message without that file sends its subject and its link there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template, render_to_string

from core.lines import one_line
from notifications.channel_types import CHANNELS
from notifications.enums import Channel
from notifications.requests import MessageContext
from notifications.wording.own_mail import blocks
from notifications.wording.template_language import filled

_MANY_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")


class OwnText(Protocol):
    """The business's own text of a message; MessageText is one."""

    @property
    def subject(self) -> str: ...

    @property
    def body(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str = ""


def rendered(context: MessageContext, channel: str = Channel.EMAIL, own: OwnText | None = None) -> Rendered:
    """Render a message for a channel. E-mail has HTML as well; other channels use the subject only as a push title.

    :raises TemplateDoesNotExist: when the folder lacks a file.
    """
    subject = _own_subject(context, own) or _subject_of(f"notifications/{context.template}/subject.txt", context)
    if not CHANNELS[Channel(channel)].has_html:
        return Rendered(subject, _short(context, channel, subject, own))
    if own is not None and own.body:
        return _own_mail(context, subject, own)
    folder = f"notifications/{context.template}"
    return Rendered(
        subject=subject,
        text=_tidy(_plain(f"{folder}/body.txt", context.variables)),
        html=render_to_string(f"{folder}/body.html", dict(context.variables)),
    )


def _subject_of(name: str, context: MessageContext) -> str:
    return one_line(_plain(name, context.variables))


def _own_subject(context: MessageContext, own: OwnText | None) -> str:
    return one_line(filled(own.subject, context.words)) if own is not None else ""


def _own_mail(context: MessageContext, subject: str, own: OwnText) -> Rendered:
    """Render the business's own text inside the mail layout, with its buttons and card (``own_mail.blocks``)."""
    labels, card = context.variables.get("labels", {}), context.variables.get("card", "")
    parts = blocks(own.body, context.words, labels=labels, card=card)
    html = render_to_string("notifications/_own.html", {**context.variables, "heading": subject, "blocks": parts})
    return Rendered(subject, _tidy(filled(own.body, context.words)), html)


def _short(context: MessageContext, channel: str, subject: str, own: OwnText | None) -> str:
    if own is not None and own.body:
        return _tidy(filled(own.body, context.words)).strip()
    if short_file := CHANNELS[Channel(channel)].short_file:
        return _tidy(_plain(f"notifications/{short_file}", context.variables)).strip()
    try:
        text = _plain(f"notifications/{context.template}/sms.txt", context.variables)
    except TemplateDoesNotExist:
        text = _plain("notifications/_short.txt", {**context.variables, "subject": subject, "link": context.link})
    return _tidy(text).strip()


def _plain(name: str, variables: Mapping[str, Any]) -> str:
    """Render a text file. Nothing is escaped, because the output is not HTML."""
    template = getattr(get_template(name), "template", None)
    if template is None:
        raise TemplateDoesNotExist(name)
    return str(template.render(Context(dict(variables), autoescape=False)))


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return _MANY_EMPTY_LINES.sub("\n\n", lines) + "\n"
