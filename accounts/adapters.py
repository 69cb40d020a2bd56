"""What django-allauth asks of this site: its sentences, keys and addresses.

allauth sends no e-mails and shows no messages here, and nobody signs up through it.
"""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from core.fields import decrypted, encrypted
from core.visitors import client_ip


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("E-mail and password do not belong together. Please check both and try again."),
    }

    def get_login_stages(self) -> list[str]:
        """Return the only stage between the password and the session: the second factor."""
        return ["allauth.mfa.stages.AuthenticateStage"]

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request)

    def is_safe_url(self, url: str) -> bool:
        return url_has_allowed_host_and_scheme(url, allowed_hosts={context.request.get_host()})

    def is_ajax(self, request: HttpRequest) -> bool:
        """Return False: the pages answer with HTML only."""
        return False

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Return False: ``config.guard`` asks again, before the view runs."""
        return False

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("account_login")

    def add_message(self, request: HttpRequest, *args: Any, **values: Any) -> None:
        """Show nothing: the pages have their own sentences."""


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return encrypted(text)

    def decrypt(self, encrypted_text: str) -> str:
        return decrypted(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return False: only ``accounts.second_factor`` removes one, and never the last one."""
        return False

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        host = urlsplit(settings.SITE_URL).hostname or ""
        return {"id": host, "name": host}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        return {"id": str(user.pk).encode(), "display_name": str(user), "name": user.email}
