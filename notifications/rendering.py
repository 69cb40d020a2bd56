"""Turn a context into the words of a message, in the language that is active. Files under templates/notifications."""

import re
from dataclasses import dataclass

from django.template import Context, TemplateDoesNotExist
from django.template.loader import get_template, render_to_string

from notifications.requests import MessageContext

_MANY_EMPTY_LINES = re.compile(r"\n\s*\n\s*\n+")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


def rendered(context: MessageContext) -> Rendered:
    """Render subject, text and HTML of a message.

    :raises TemplateDoesNotExist: when the folder lacks a file.
    """
    folder = f"notifications/{context.template}"
    return Rendered(
        subject=" ".join(_plain(f"{folder}/subject.txt", context).split()),
        text=_tidy(_plain(f"{folder}/body.txt", context)),
        html=render_to_string(f"{folder}/body.html", dict(context.variables)),
    )


def _plain(name: str, context: MessageContext) -> str:
    """Render a text file. What people typed stays as typed: nothing is escaped, because nothing here is HTML."""
    template = getattr(get_template(name), "template", None)
    if template is None:
        raise TemplateDoesNotExist(name)
    return str(template.render(Context(dict(context.variables), autoescape=False)))


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return _MANY_EMPTY_LINES.sub("\n\n", lines) + "\n"
