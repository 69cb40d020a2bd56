"""Forms about a customer, with the cleaning rules of the public form."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names, phones
from accounts.customer_merge import Flags, flags_of, stricter
from accounts.models import TAG_LIMIT, Customer
from core.forms import CleanedField

_REASON_LIMIT = 300


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


class MergeForm(forms.Form):
    """Which contact stays (``keep`` is a reference) and why. A flag is asked for only where it needs a decision."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        one: Customer,
        other: Customer,
        has_two_mailboxes: bool,
        may_trust: bool,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        flags = stricter(flags_of(one), flags_of(other))
        first = {
            "keep": one.reference,
            "is_blocked": flags.is_blocked,
            "is_prepayment_exempt": flags.is_prepayment_exempt,
        }
        super().__init__(data, initial=first | dict(initial or {}))
        self.fields["keep"] = forms.ChoiceField(
            label=_("Whose contact stays?"),
            choices=[(each.reference, each.name) for each in (one, other)],
            widget=forms.RadioSelect,
        )
        if has_two_mailboxes:
            self.fields["gives_up_mailbox"] = forms.BooleanField(
                label=_("Only the e-mail address of the chosen contact counts from now on"),
                error_messages={"required": _("The customer has confirmed both addresses. Say that only one counts.")},
            )
        if may_trust and (one.is_blocked or other.is_blocked):
            self.fields["is_blocked"] = forms.BooleanField(label=_("May not book online"), required=False)
        if may_trust and (one.is_prepayment_exempt or other.is_prepayment_exempt):
            self.fields["is_prepayment_exempt"] = forms.BooleanField(
                label=_("Is never asked to pay in advance"), required=False
            )
        self.fields["reason"] = CleanedField(
            label=_("How do you know that this is one person?"),
            cleaner=partial(names.clean_line, limit=_REASON_LIMIT, label=gettext("The reason")),
            help_text=_("For the history. The customer does not see it."),
            error_messages={"required": _("Say how you know. A merge cannot be undone.")},
        )

    def chosen_flags(self) -> Flags | None:
        """Return the flags that staff chose; None where there was nothing to choose."""
        if not {"is_blocked", "is_prepayment_exempt"} & set(self.fields):
            return None
        return Flags(bool(self.cleaned_data.get("is_blocked")), bool(self.cleaned_data.get("is_prepayment_exempt")))
