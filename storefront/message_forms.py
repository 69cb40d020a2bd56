"""The form in which customers choose their messages."""

from collections.abc import Collection, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.queries import MessageChoices
from core.formats import clock_text
from notifications.channel_types import CHANNELS
from notifications.enums import Channel

# The quiet hours that the page suggests to a customer who has chosen none.
USUAL_QUIET = (22 * 60, 8 * 60)
_HALF_HOURS = range(0, 1440, 30)


class ChoicesForm(forms.Form):
    """Channels of this site, quiet hours and news. ``wanted`` returns the channels to save."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, channels: Collection[Channel], choices: MessageChoices
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        self._channels = tuple(channels)
        for channel in channels:
            self.fields[channel] = forms.BooleanField(
                label=str(CHANNELS[channel].choice_label), required=False, initial=choices.wants(channel)
            )
        self.fields[Channel.EMAIL].help_text = _(
            "Confirmations, changes and payments always come by e-mail, so that you know where you stand."
        )
        quiet = choices.quiet
        start, end = (quiet.start_minute, quiet.end_minute) if quiet else USUAL_QUIET
        self.fields["is_quiet"] = forms.BooleanField(
            label=_("Nothing that can wait during my quiet hours"), required=False, initial=quiet is not None
        )
        self.fields["quiet_from"] = _time(_("From"), start)
        self.fields["quiet_until"] = _time(_("Until"), end)
        self.fields["news"] = forms.BooleanField(required=False, initial=choices.wants_news)

    def clean_quiet_until(self) -> int:
        until: int = self.cleaned_data["quiet_until"]
        if self.cleaned_data.get("is_quiet") and until == self.cleaned_data.get("quiet_from"):
            raise forms.ValidationError(
                _("The quiet hours end when they begin. Choose another time, or take the tick out above.")
            )
        return until

    @property
    def channel_fields(self) -> list[forms.BoundField]:
        return [self[channel] for channel in self._channels]

    @property
    def wanted(self) -> dict[str, bool]:
        return {channel: bool(self.cleaned_data[channel]) for channel in self._channels}

    @property
    def quiet_hours(self) -> tuple[int, int]:
        """Return start and end in minutes from midnight; equal values mean no quiet hours."""
        if not self.cleaned_data["is_quiet"]:
            return 0, 0
        return self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]


def _time(label: Any, initial: int) -> forms.TypedChoiceField:
    minutes = sorted({*_HALF_HOURS, initial})
    choices = [(str(minute), clock_text(minute)) for minute in minutes]
    return forms.TypedChoiceField(label=label, choices=choices, coerce=int, initial=str(initial))
