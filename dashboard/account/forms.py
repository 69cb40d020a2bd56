"""Forms of the sign-in. Each asks the limits of ``accounts.sign_in`` before it checks a secret."""

from datetime import datetime
from typing import Any

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.second_factor import CodeAnswer, check_code
from accounts.sign_in import Secret, Try, sign_in_try

REFUSALS = {
    CodeAnswer.WRONG: _("This code is not right. Please type the one that your app shows now."),
    CodeAnswer.OVER: _(
        "This code was already over. Please type the one that your app shows now. If this happens again, check that the"
        " clock of your phone sets itself."
    ),
    CodeAnswer.USED: _(
        "This code was already used. Please wait for the next one: your app shows it within 30 seconds."
    ),
}
_RECOVERY_REFUSAL = _("This recovery code is not right, or it was already used.")
_PASSKEY_REFUSAL = _("The passkey was not accepted. Please try again, or use a code of your app.")
RECOVERY = "recovery"


class SignInForm(LoginForm):  # type: ignore[misc] # allauth has no types
    """E-mail and password."""

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = now
        email, password = self.fields["login"], self.fields["password"]
        email.label, password.label, password.help_text = _("E-mail"), _("Password"), ""
        email.widget = forms.EmailInput(attrs={"autofocus": True, "maxlength": 254})
        password.widget = forms.PasswordInput()

    def clean(self) -> dict[str, Any]:
        tried = sign_in_try(self.request, str(self.cleaned_data.get("login") or ""))
        _refuse_too_many(tried)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            tried.count_failure(now=self._now)
            raise
        return cleaned


def _code_input(**more: Any) -> forms.TextInput:
    return forms.TextInput(
        attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", **more}
    )


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of the app or a recovery code, of a user whose password was right."""

    code = forms.CharField(
        label=_("Code from your app"),
        max_length=20,
        widget=_code_input(inputmode="numeric"),
        error_messages={"required": _("Type the code first.")},
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = now

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        tried = sign_in_try(context.request, self.user.email, Secret.CODE)
        _refuse_too_many(tried)
        answer = check_code(self.user, code, now=self._now) if self.user.is_active else CodeAnswer.WRONG
        if answer is CodeAnswer.RIGHT:
            return code
        if answer is not CodeAnswer.USED:
            tried.count_failure(now=self._now)
        is_recovery = self.data.get("kind") == RECOVERY
        raise ValidationError(_RECOVERY_REFUSAL if is_recovery else REFUSALS[answer], code=answer.name.lower())

    def save(self) -> None:
        """Do nothing: checking a right code has stored that it is used."""


class PasskeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The answer of a passkey to the challenge in the session."""

    def clean_credential(self) -> Any:
        if not self.user.is_active:
            raise ValidationError(_PASSKEY_REFUSAL)
        try:
            return super().clean_credential()
        except (ValidationError, KeyError, AttributeError, TypeError, ValueError):
            # allauth and its library catch only a part of what a forged answer can be.
            raise ValidationError(_PASSKEY_REFUSAL) from None


class AppForm(forms.Form):
    """The first code of an app that has just been set up."""

    code = forms.CharField(
        label=_("The six digits that the app shows now"),
        max_length=20,
        widget=_code_input(inputmode="numeric"),
        error_messages={"required": _("Type the code first.")},
    )


class NewPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """The registration of a passkey, checked against the challenge in the session."""

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except (ValidationError, KeyError, AttributeError, TypeError, ValueError):
            raise ValidationError(_("The passkey was not accepted. Please try again, or use an app.")) from None
        return cleaned


class PasswordForm(forms.Form):
    """The user's own password."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Type your password first.")},
    )

    def __init__(self, *args: Any, tried: Try, user: User, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tried, self._user, self._now = tried, user, now

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        _refuse_too_many(self._tried)
        if not self._user.check_password(password):
            self._tried.count_failure(now=self._now)
            raise ValidationError(_("This is not your password."))
        return password


class NewPasswordForm(PasswordChangeForm):
    """The own password and a new one."""

    def __init__(self, user: User, *args: Any, tried: Try, now: datetime, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self._tried, self._now = tried, now
        self.fields["old_password"].label = _("Your password now")
        self.fields["new_password1"].label = _("New password")
        self.fields["new_password1"].help_text = _(
            "At least eight characters. Several words are good, and easy to keep."
        )
        self.fields["new_password2"].label = _("New password once more")
        self.fields["new_password2"].help_text = ""

    def clean_old_password(self) -> str:
        _refuse_too_many(self._tried)
        try:
            return super().clean_old_password()
        except ValidationError:
            self._tried.count_failure(now=self._now)
            raise ValidationError(_("This is not your password.")) from None


def _refuse_too_many(tried: Try) -> None:
    """:raises ValidationError: when the limits allow no further try."""
    if not tried.is_allowed():
        raise ValidationError(_("Too many tries. Please wait a minute, then try again."), code="too_many")
