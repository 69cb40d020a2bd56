"""The form that puts a person on the walk-in queue."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names, phones
from accounts.contact.contact import Contact
from core.forms import CleanedField
from dashboard.phone_booking.queries import Offered, Person, Variant


class WalkInForm(forms.Form):
    """Name, service and length, and what is optional: phone, e-mail, and the staff member whom the person asks for.

    ``region`` is the country of phone numbers without a country code. The cleaned ``variant`` is a ``Variant``, the
    cleaned ``who`` a ``Person`` or None for anyone.
    """

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, offered: Sequence[Offered], region: str | None
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        self._variants = {str(variant.id): variant for each in offered for variant in each.variants}
        self._people = {person.slug: person for each in offered for person in each.people}
        self.fields["name"] = CleanedField(
            label=_("Name"),
            cleaner=partial(names.clean_name, label=gettext("Name")),
            error_messages={"required": _("Please type the name.")},
        )
        self.fields["variant"] = forms.ChoiceField(
            label=_("Service"),
            choices=[("", gettext("Choose a service")), *_services(offered)],
            error_messages={
                "required": _("Please choose a service."),
                "invalid_choice": _("This service is not offered here any more. Please choose again."),
            },
        )
        self.fields["who"] = forms.ChoiceField(
            label=_("With"),
            choices=[("", gettext("Anyone")), *((each.slug, each.name) for each in self._people.values())],
            required=False,
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

    def clean_variant(self) -> Variant:
        return self._variants[self.cleaned_data["variant"]]

    def clean_who(self) -> Person | None:
        return self._people.get(self.cleaned_data["who"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        variant, person = cleaned.get("variant"), cleaned.get("who")
        if variant and person and person.id not in variant.people:
            text = _("%(name)s does not do this service. Choose someone else, or anyone.")
            self.add_error("who", ValidationError(text, params={"name": person.name}))
        return cleaned

    @property
    def contact(self) -> Contact:
        """The contact of a valid form."""
        typed = self.cleaned_data
        return Contact(typed["name"], typed["email"], typed["phone"], note="")


def _services(offered: Sequence[Offered]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each service with its lengths, by category."""
    return [
        (category, [(str(variant.id), each.with_length(variant)) for each in own for variant in each.variants])
        for category, own in groupby(offered, key=lambda each: each.category)
    ]
