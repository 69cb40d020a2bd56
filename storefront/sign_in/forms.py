"""Forms of the sign-in of customers."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.contact.emails import EMAIL_LIMIT, clean_email
from accounts.sign_in_code import CodeAnswer

REFUSALS = {
    CodeAnswer.WRONG: _("This code is not right. Please type the six digits of the newest e-mail."),
    CodeAnswer.OVER: _("This code does not work any more. Ask for a new one below."),
}
TOO_MANY_CODES = _("Several codes were sent already. Please use the newest one, or try again in an hour.")
TOO_MANY_TRIES = _("Too many wrong codes. Please try again tomorrow, or call us.")


class AddressForm(forms.Form):
    """The mailbox that gets the code."""

    email = forms.CharField(
        label=_("Your e-mail address"),
        max_length=EMAIL_LIMIT,
        widget=forms.EmailInput(attrs={"maxlength": EMAIL_LIMIT}),
        error_messages={"required": _("Please type your e-mail address.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="id_%s")

    def clean_email(self) -> str:
        return clean_email(str(self.cleaned_data["email"]))


class CodeForm(forms.Form):
    """The code of the e-mail."""

    code = forms.CharField(
        label=_("Six digits from the e-mail"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autofocus": True}),
        error_messages={"required": _("Type the code first.")},
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="id_%s")
