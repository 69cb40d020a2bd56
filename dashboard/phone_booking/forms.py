"""Forms of the phone booking, turned into the values that the operation takes."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names, phones
from accounts.contact.contact import Contact
from core.forms import CleanedField


class CallerForm(forms.Form):
    """A new customer: name, and phone or e-mail. ``region`` is the country of numbers without a country code."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, region: str | None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="id_%s")
        self.fields["name"] = CleanedField(
            label=_("Name"),
            cleaner=partial(names.clean_name, label=gettext("Name")),
            error_messages={"required": _("Please type the name.")},
        )
        self.fields["phone"] = CleanedField(
            label=_("Phone"),
            cleaner=partial(phones.clean_phone, region=region),
            widget=forms.TextInput(attrs={"type": "tel"}),
            required=False,
        )
        self.fields["email"] = CleanedField(
            label=_("E-mail"), cleaner=emails.clean_email, widget=forms.EmailInput, required=False
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("phone") and not cleaned.get("email"):
            self.add_error("phone", ValidationError(_("Type a phone number or an e-mail address.")))
        return cleaned


class VisitForm(forms.Form):
    """The visit: a note for the staff member, and the address where the business visits the customer."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        staff_name: str,
        needs_address: bool,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="id_%s")
        if needs_address:
            self.fields["visit_address"] = CleanedField(
                label=_("Where should we come?"),
                cleaner=partial(names.clean_visit_address, label=gettext("The address")),
                widget=forms.Textarea(attrs={"rows": 2}),
                error_messages={"required": _("Please type the address.")},
            )
        label = gettext("Note for %(name)s") % {"name": staff_name} if staff_name else gettext("Note")
        self.fields["note"] = CleanedField(
            label=label,
            cleaner=lambda text: names.clean_paragraphs(text, limit=names.NOTE_LIMIT, label=label),
            widget=forms.Textarea(attrs={"rows": 2}),
            required=False,
        )


def contact_of(caller: Mapping[str, Any], visit: Mapping[str, Any]) -> Contact:
    """Combine the fields about the customer and about the visit."""
    return Contact.of_form({**caller, **visit})
