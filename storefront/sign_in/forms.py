"""Forms of the sign-in of customers."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.contact.emails import EMAIL_LIMIT, clean_email
from accounts.models import User
from accounts.sign_in_code import CodeAnswer

REFUSALS = {
    CodeAnswer.WRONG: _("This code is not right. Please type the six digits of the newest e-mail."),
    CodeAnswer.OVER: _("This code does not work any more. Ask for a new one below."),
}
TOO_MANY_CODES = _("Too many codes were asked for. If you have one, use the newest. Otherwise try again in an hour.")
TOO_MANY_TRIES = _("Too many wrong codes. Please try again tomorrow, or call us.")


TOO_MANY_PASSWORDS = _("Too many tries. Please wait a minute, or use a code.")
WRONG_PASSWORD = _("Address and password do not belong together. Try again, or use a code.")


def credential_in(request: HttpRequest) -> Any:
    """Return what the passkey answered; None if it is not JSON."""
    try:
        return json.loads(request.POST.get("credential", ""))
    except ValueError:
        return None


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


class PasswordForm(AddressForm):
    """Address and password."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(),
        error_messages={"required": _("Type your password first.")},
    )


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg] # takes no arguments at runtime
    """A password, twice. The page wants a fresh proof, so it does not ask for the earlier one."""

    def __init__(self, user: User, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(user, data, auto_id="id_%s")
        first, second = self.fields["new_password1"], self.fields["new_password2"]
        first.label, second.label = _("New password"), _("New password once more")
        first.help_text, second.help_text = (
            _("At least eight characters. Several words are good, and easy to keep."),
            "",
        )
