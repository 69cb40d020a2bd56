"""What people type at the desk, as values that operations take."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.sign_in import may_try
from core.visitors import client_address


class SignInForm(AuthenticationForm):
    """Guessing is slowed down per account and per address, before any password is checked."""

    error_messages = {
        "invalid_login": _("E-mail and password do not belong together. Please check both and try again."),
        "inactive": _("E-mail and password do not belong together. Please check both and try again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail")
        self.fields["username"].widget = forms.EmailInput(attrs={"autofocus": True, "maxlength": 254})

    def clean(self) -> dict[str, Any]:
        account = str(self.cleaned_data.get("username") or "")
        if self.request is not None and not may_try(account, client_address(self.request)):
            raise ValidationError(_("Too many tries. Please wait a minute, then try again."), code="too_many")
        return super().clean()
