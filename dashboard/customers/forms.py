"""Forms about a customer, with the cleaning rules of the public form."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names, phones
from accounts.models import TAG_LIMIT
from core.forms import CleanedField


class CustomerForm(forms.Form):
    """``region`` is the country of numbers typed without a country code."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        region: str | None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.suggestion: str | None = None
        self.fields["name"] = CleanedField(
            label=_("Name"),
            cleaner=partial(names.clean_name, label=gettext("Name")),
            error_messages={"required": _("Type the name of the customer.")},
        )
        self.fields["phone"] = CleanedField(
            label=_("Phone"),
            required=False,
            cleaner=partial(phones.clean_phone, region=region),
            widget=forms.TextInput(attrs={"type": "tel"}),
        )
        self.fields["email"] = CleanedField(
            label=_("E-mail"), required=False, cleaner=emails.clean_email, widget=forms.EmailInput
        )
        self.fields["language"] = forms.ChoiceField(
            label=_("Language of messages"), choices=settings.LANGUAGES, initial=settings.LANGUAGE_CODE
        )

    def full_clean(self) -> None:
        super().full_clean()
        for error in self.errors.get("email", forms.utils.ErrorList()).as_data():
            self.suggestion = (error.params or {}).get("suggestion")


class NoteForm(forms.Form):
    def __init__(self, data: Mapping[str, Any] | None = None, *, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=dict(initial or {}))
        self.fields["text"] = CleanedField(
            label=_("Note"),
            cleaner=partial(names.clean_paragraphs, limit=names.NOTE_LIMIT, label=gettext("The note")),
            widget=forms.Textarea(attrs={"rows": 3}),
            help_text=_("Everyone who can open this customer at the desk can read it. The customer cannot."),
            error_messages={"required": _("Write a word or two first.")},
        )


class TagForm(forms.Form):
    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.fields["tag"] = CleanedField(
            label=_("Tag"),
            cleaner=partial(names.clean_line, limit=TAG_LIMIT, label=gettext("The tag")),
            error_messages={"required": _("Type a tag first.")},
        )
