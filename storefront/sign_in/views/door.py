"""Signing in and out of customers.

Every address gets the same page, the same words and a code, whether it is known or not.
"""

import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

from allauth.mfa.webauthn.internal.auth import begin_authentication
from allauth.socialaccount.providers.openid_connect import views as openid_connect
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from requests import RequestException

from accounts.customer_secrets import PasskeyRefused, customer_with_passkey, customer_with_password
from accounts.customer_session import customer_of, sign_in_customer, sign_out
from accounts.customer_sign_in import SignInRefused, count_wrong_code, may_ask_for_code, may_type_code
from accounts.sign_in import remember_device, sign_in_try
from accounts.sign_in_code import CodeAnswer
from bookings.operations.customer_sign_in import enter_code, send_code
from core import clock
from core.visitors import remember_visitor, visitor_id
from storefront.cookies import remember_mailbox
from storefront.sign_in.answers import see_other, status_of
from storefront.sign_in.asked import Asked, asked_of, forget, remember, way_on
from storefront.sign_in.forms import (
    REFUSALS,
    TOO_MANY_CODES,
    TOO_MANY_PASSWORDS,
    TOO_MANY_TRIES,
    WRONG_PASSWORD,
    AddressForm,
    CodeForm,
    PasswordForm,
    credential_in,
)
from storefront.sign_in.oidc import PROVIDER, failed_text


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the e-mail address and send a code to it."""
    if customer_of(request):
        return see_other(way_on(request))
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        visitor = visitor_id(request)
        if may_ask_for_code(request, email, visitor):
            return send(request, email, visitor)
        form.add_error("email", TOO_MANY_CODES)
    context = {"form": form, "next": way_on(request), "quoted_next": quote(way_on(request))}
    if settings.OIDC_ISSUER:
        context |= {"oidc_name": settings.OIDC_NAME, "oidc_provider": PROVIDER}
    return render(request, "storefront/sign_in/sign_in.html", context, status=status_of(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """Ask for the code, and sign in."""
    asked, now = asked_of(request), clock.now()
    if asked is None:
        return redirect("my_sign_in")
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if not may_type_code(request):
            form.add_error("code", TOO_MANY_TRIES)
            return _code_page(request, form, asked)
        typed = form.cleaned_data["code"]
        try:
            answer, customer = enter_code(
                token=asked.token, typed=typed, email=asked.email, language=get_language() or "en", now=now
            )
        except SignInRefused as refusal:
            form.add_error("code", str(refusal))
            return _code_page(request, form, asked)
        if customer is not None:
            sign_in_customer(request, customer, now)
            return _signed_in(request, asked)
        if answer is CodeAnswer.WRONG:
            count_wrong_code(request)
        form.add_error("code", REFUSALS[answer])
    return _code_page(request, form, asked)


@require_safe
@never_cache
def begin_oidc(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Go to the provider of OpenID Connect, if there is one."""
    # allauth would read more parameters of the address.
    request.GET = QueryDict(urlencode({"next": way_on(request)}))
    return _with_provider(request, provider_id, openid_connect.login)


@require_safe
@never_cache
def finish_oidc(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from the provider."""
    return _with_provider(request, provider_id, openid_connect.callback)


@require_POST
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out by POST only, so that an image in an e-mail cannot sign a customer out."""
    sign_out(request)
    messages.success(request, gettext("You are signed out."))
    return see_other("landing")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    """Sign in with a password, for customers who have set one. Every refusal says the same."""
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email, now = form.cleaned_data["email"], clock.now()
        tried = sign_in_try(request, email)
        if not tried.is_allowed():
            form.add_error(None, TOO_MANY_PASSWORDS)
        elif customer := customer_with_password(email, form.cleaned_data["password"]):
            sign_in_customer(request, customer, now)
            response = see_other(way_on(request))
            remember_device(request, response, email)
            return response
        else:
            tried.count_failure(now=now)
            form.add_error(None, WRONG_PASSWORD)
    context = {"form": form, "next": way_on(request)}
    return render(request, "storefront/sign_in/password_sign_in.html", context, status=status_of(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def passkey(request: HttpRequest) -> HttpResponse:
    """Sign in with a passkey."""
    problem, now = "", clock.now()
    if request.method == "POST":
        try:
            customer = customer_with_passkey(credential_in(request))
        except PasskeyRefused:
            customer = None
        if customer is not None:
            sign_in_customer(request, customer, now)
            return see_other(way_on(request))
        problem = gettext("The passkey was not accepted. Please try again, or use a code.")
    context = {"challenge": json.dumps(begin_authentication()), "problem": problem, "next": way_on(request)}
    return render(request, "storefront/sign_in/passkey_sign_in.html", context, status=status_of(request))


def send(request: HttpRequest, email: str, visitor: str) -> HttpResponse:
    """Send a code and go on to the page that asks for it. The limits have allowed it."""
    before = asked_of(request)
    token = send_code(
        email=email, replaced=before.token if before else "", language=get_language() or "en", now=clock.now()
    )
    response = see_other("my_code")
    remember(response, Asked(token, email, way_on(request)))
    remember_visitor(response, visitor)
    return response


def _with_provider(request: HttpRequest, provider_id: str, view: Callable[..., HttpResponse]) -> HttpResponse:
    if not settings.OIDC_ISSUER or provider_id != PROVIDER:
        raise Http404
    try:
        return view(request, provider_id)
    except (RequestException, KeyError, ValueError, TypeError):
        # The provider is away, or what answers there is none.
        messages.warning(request, failed_text())
        return see_other("my_sign_in")


def _code_page(request: HttpRequest, form: CodeForm, asked: Asked) -> HttpResponse:
    context = {"form": form, "email": asked.email, "next": asked.next}
    return render(request, "storefront/sign_in/code.html", context, status=status_of(request))


def _signed_in(request: HttpRequest, asked: Asked) -> HttpResponse:
    response = see_other(asked.next)
    remember_device(request, response, asked.email)
    remember_mailbox(response, asked.email)
    forget(response)
    return response
