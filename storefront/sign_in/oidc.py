"""Signing in by OpenID Connect, by the one provider that the environment names. allauth speaks to it.

Only the mailbox counts, and only if the provider says that it is proven. Nothing of the provider's account is stored.
"""

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext

from accounts.customer_session import customer_session_time, sign_in_customer
from accounts.customer_sign_in import SignInRefused
from bookings.operations.customer_sign_in import claim_mailbox
from storefront.cookies import remember_mailbox
from storefront.sign_in.answers import see_other

PROVIDER = "sso"


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Ends allauth's flow where the provider has answered: it would sign in a Django user, which customers are not."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Sign in the customer of the mailbox.

        :raises ImmediateHttpResponse: always, with the answer.
        """
        proven = [each.email for each in sociallogin.email_addresses if each.verified]
        if not proven:
            raise ImmediateHttpResponse(_back(request, unproven_text()))
        now = customer_session_time(request)
        try:
            customer = claim_mailbox(email=proven[0], language=get_language() or "en", now=now)
        except SignInRefused as refusal:
            raise ImmediateHttpResponse(_back(request, str(refusal))) from refusal
        sign_in_customer(request, customer, now)
        way = sociallogin.state.get("next") or ""
        is_here = url_has_allowed_host_and_scheme(way, allowed_hosts={request.get_host()})
        response = see_other(way if is_here else "my_bookings")
        remember_mailbox(response, proven[0])
        raise ImmediateHttpResponse(response)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **more: Any) -> NoReturn:
        """Lead back to the other ways to sign in, also when the visitor has changed their mind.

        :raises ImmediateHttpResponse: always.
        """
        raise ImmediateHttpResponse(_back(request, failed_text()))


def failed_text() -> str:
    return gettext("That did not work. Please try again, or let us send you a code.")


def unproven_text() -> str:
    return gettext("There your e-mail address is not confirmed yet. Please let us send you a code.")


def _back(request: HttpRequest, why: str) -> HttpResponse:
    messages.warning(request, why)
    return see_other("my_sign_in")
