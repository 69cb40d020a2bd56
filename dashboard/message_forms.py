"""Forms about messages at the desk: the owner's custom texts, and the channels and times of each message."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact.phones import clean_phone
from bookings.messages.types import MessageType, Timing
from core.forms import CleanedField
from notifications.channel_types import CHANNELS
from notifications.enums import Channel
from notifications.rules import Rules
from notifications.text_refusal import text_refusal
from notifications.wording.editing import RuleKey
from notifications.wording.template_language import LONGEST_TEXT, TextProblem, parsed

# Offsets in minutes to choose from. A stored offset outside this list is offered as well.
BEFORE = (7 * 1440, 3 * 1440, 2 * 1440, 1440, 720, 360, 180, 120, 60, 30)
AFTER = (60, 180, 1440, 3 * 1440, 7 * 1440, 28 * 1440)


class TextForm(forms.Form):
    """A custom text for one message in one channel. An unknown placeholder is refused with its line number."""

    subject = forms.CharField(label=_("Subject"), max_length=250)
    body = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "true"}),
        error_messages={"required": _("Write a text, or restore the default.")},
    )
    template_sid = forms.RegexField(
        r"^HX[0-9a-fA-F]{32}$",
        label=_("Content SID of the approved template"),
        required=False,
        help_text=_("Twilio names it HX…; copy it from there."),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        channel: Channel,
        known: Collection[str],
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="id_%s")
        self._known = known
        if not CHANNELS[channel].has_subject:
            del self.fields["subject"]
        if channel != Channel.WHATSAPP:
            del self.fields["template_sid"]
        if not CHANNELS[channel].has_html:
            self.fields["body"].widget.attrs["rows"] = 6

    def clean_subject(self) -> str:
        return self._read(" ".join(str(self.cleaned_data["subject"]).split()))

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"]).replace("\r\n", "\n").replace("\r", "\n")
        if not body.strip():
            raise ValidationError(self.fields["body"].error_messages["required"])
        return self._read(body)

    def _read(self, text: str) -> str:
        try:
            parsed(text, self._known)
        except TextProblem as problem:
            if "\n" not in text.strip():
                raise ValidationError(str(problem)) from problem
            sentence = gettext("Line %(line)d: %(problem)s") % {"line": problem.line, "problem": problem}
            raise ValidationError(sentence) from problem
        return text


class TryForm(forms.Form):
    """The phone number for a test message. A number without a country code belongs to ``region``."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, region: str | None) -> None:
        super().__init__(data, auto_id="id_%s")
        self.fields["phone"] = CleanedField(
            label=_("Your phone number"),
            cleaner=partial(clean_phone, region=region),
            widget=forms.TextInput(attrs={"type": "tel"}),
            error_messages={"required": _("Give the number that the test goes to.")},
        )

    def clean_phone(self) -> str:
        number = str(self.cleaned_data["phone"])
        against = text_refusal(number, settings.SMS_COUNTRIES)
        if against:
            raise ValidationError(against)
        return number


class RulesForm(forms.Form):
    """The channels of a message, and for a planned message its distances from the visit. One box for each pair."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, of: MessageType, channels: Sequence[Channel], rules: Rules
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        self._of, self._channels = of, channels
        self.offsets = _offsets(of, rules)
        for channel in channels:
            for offset in self.offsets:
                is_fixed = of.is_needed and channel == Channel.EMAIL
                self.fields[_name(channel, offset)] = forms.BooleanField(
                    label=channel.label,
                    required=False,
                    disabled=is_fixed,
                    initial=is_fixed or rules.is_on(of.kind, of.role, channel, offset),
                )

    @property
    def wanted(self) -> dict[RuleKey, bool]:
        return {
            (channel, offset): bool(self.cleaned_data[_name(channel, offset)])
            for channel in self._channels
            for offset in self.offsets
        }

    @property
    def rows(self) -> list[tuple[int | None, list[forms.BoundField]]]:
        """Return each distance with its boxes, one for each channel."""
        return [(offset, [self[_name(channel, offset)] for channel in self._channels]) for offset in self.offsets]


def _name(channel: Channel, offset: int | None) -> str:
    return f"{channel}-{offset}" if offset is not None else str(channel)


def _offsets(of: MessageType, rules: Rules) -> list[int | None]:
    usual = {Timing.BEFORE: BEFORE, Timing.AFTER: AFTER}.get(of.timing)
    if usual is None:
        return [None]
    kept = {offset for channel in Channel for offset in rules.offsets(of.kind, of.role, channel)}
    ordered = sorted({*usual, *kept})
    return list(ordered[::-1]) if of.timing is Timing.BEFORE else list(ordered)
