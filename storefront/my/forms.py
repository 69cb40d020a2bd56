"""Forms of a signed-in customer."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.contact.contact import Contact
from storefront.forms import contact_field

OWN_FIELDS = ("name", "phone")


class DetailsForm(forms.Form):
    """Name, phone and language of messages. ``region`` is the country of numbers without a country code."""

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, region: str | None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), auto_id="id_%s")
        for field in Contact.FIELDS:
            if field.name in OWN_FIELDS:
                self.fields[field.name] = contact_field(field, field.label, region)
        self.fields["language"] = forms.ChoiceField(label=_("Language of messages"), choices=settings.LANGUAGES)
