"""Forms of the public booking pages, turned into typed values. The rules of each contact field are in
``accounts.contact``.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names
from accounts.contact.contact import Contact, ContactField
from core.forms import CleanedField

REASON_LIMIT = 200


class ContactForm(forms.Form):
    """The customer's contact: four fields, and the address or party size only if the service needs it.

    ``region`` is the country of phone numbers without a country code. ``email_seen`` is the address whose spelling the
    page has questioned before; sending the same one again confirms it.
    """

    email_seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        staff_name: str = "",
        region: str | None = None,
        needs_address: bool = False,
        max_party_size: int = 1,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="id_%s")
        self.suggestion: str | None = None
        note_label = gettext("Note for %(name)s") % {"name": staff_name} if staff_name else gettext("Note")
        for field in Contact.FIELDS:
            if field.name == "note" and max_party_size > 1:
                self.fields["party_size"] = _party_size(max_party_size)
            if field.is_asked_always or needs_address:
                label = note_label if field.name == "note" else field.label
                self.fields[field.name] = contact_field(field, label, region)

    def clean_email(self) -> str:
        address = str(self.cleaned_data["email"])
        likely = emails.email_suggestion(address)
        if likely and address.casefold() != str(self.data.get("email_seen", "")).casefold():
            raise ValidationError(
                gettext("Is this spelled right? If it is, just press the main button again."),
                code="email_slip",
                params={"suggestion": likely},
            )
        return address

    def full_clean(self) -> None:
        super().full_clean()
        for error in self.errors.get("email", forms.utils.ErrorList()).as_data():
            self.suggestion = (error.params or {}).get("suggestion")

    @property
    def asked_about(self) -> str:
        """Value for ``email_seen``: the address whose spelling this page questions, else the one questioned before."""
        asks_now = any(
            error.code == "email_slip" for error in self.errors.get("email", forms.utils.ErrorList()).as_data()
        )
        return str(self.data.get("email", "")).strip() if asks_now else str(self["email_seen"].value() or "")


class ReasonForm(forms.Form):
    """Why staff cancel or move: one line, kept in the history and sent to the customer."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="id_%s")
        self.fields["reason"] = _line(_("Reason"), REASON_LIMIT, _("Please say why."))
        self.fields["reason"].help_text = _("The customer reads this in the message about it.")


class AgreedForm(forms.Form):
    """What the page showed when the customer pressed the button: the booking's ``sequence``, the fee in minor units,
    and for a move the staff member.
    """

    expected_sequence = forms.IntegerField(min_value=0, max_value=1_000_000)
    expected_fee = forms.IntegerField(min_value=0, max_value=2_000_000_000)
    performer = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class SeenForm(forms.Form):
    """The ``sequence`` of the booking that the page showed."""

    expected_sequence = forms.IntegerField(min_value=0, max_value=1_000_000)


class PayForm(forms.Form):
    """What the paying page showed when the customer pressed the button: the sum in minor units, and whether the
    customer agreed to keep the card on file.
    """

    expected = forms.IntegerField(min_value=0, max_value=2_000_000_000)
    agreed = forms.BooleanField(required=False)


class HelpForm(forms.Form):
    """A message to the front desk."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="help_%s")
        self.fields["text"] = _paragraphs(
            _("Your message"), names.NOTE_LIMIT, missing=_("Please write what we can help with.")
        )


class ExtrasForm(forms.Form):
    """The id of an extra to add or remove. Only extras of the service are valid."""

    def __init__(self, data: Mapping[str, Any], *, add_on_ids: set[int]) -> None:
        super().__init__(data)
        offered = [(str(number), str(number)) for number in sorted(add_on_ids)]
        self.fields["add"] = forms.TypedChoiceField(choices=offered, coerce=int, empty_value=None, required=False)
        self.fields["remove"] = forms.TypedChoiceField(choices=offered, coerce=int, empty_value=None, required=False)


def _line(label: Any, limit: int, missing: Any) -> CleanedField:
    return CleanedField(
        label=label,
        cleaner=lambda text: names.clean_line(text, limit=limit, label=str(label)),
        error_messages={"required": missing},
    )


def _paragraphs(label: Any, limit: int, *, missing: Any = None) -> CleanedField:
    return CleanedField(
        label=label,
        cleaner=lambda text: names.clean_paragraphs(text, limit=limit, label=str(label)),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=missing is not None,
        error_messages={"required": missing} if missing else {},
    )


def contact_field(field: ContactField, label: Any, region: str | None) -> CleanedField:
    return CleanedField(
        label=label,
        cleaner=field.cleaner(label, region),
        widget=_widget(field),
        required=field.missing is not None,
        help_text=field.help_text,
        error_messages={"required": field.missing} if field.missing is not None else {},
    )


def _widget(field: ContactField) -> forms.Widget:
    attrs = {"placeholder": field.placeholder} if field.placeholder else {}
    if field.input_type == "paragraphs":
        return forms.Textarea(attrs={"rows": 3, **attrs})
    if field.input_type == "email":
        return forms.EmailInput(attrs=attrs)
    return forms.TextInput(attrs={**({} if field.input_type == "text" else {"type": field.input_type}), **attrs})


def _party_size(maximum: int) -> forms.IntegerField:
    sentence = gettext("Between 1 and %(maximum)s people can come.") % {"maximum": maximum}
    return forms.IntegerField(
        label=_("How many people?"),
        min_value=1,
        max_value=maximum,
        initial=1,
        error_messages={
            "required": sentence,
            "invalid": sentence,
            "min_value": sentence,
            "max_value": sentence,
        },
    )
