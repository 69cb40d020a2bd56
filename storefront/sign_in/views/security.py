"""How a customer signs in, and where: password, passkeys, and the browsers in which they are signed in.

Changing how wants a code of the last minutes, because whoever finds an open browser must not lock the customer out.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.mfa.webauthn.internal.auth import begin_registration
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import customer_secrets
from accounts.customer_secrets import PasskeyRefused
from accounts.customer_session import (
    customer_of,
    end_customer_sessions,
    is_fresh,
    open_customer_sessions,
    session_of,
)
from accounts.customer_sign_in import is_of_staff, may_ask_for_code
from accounts.devices import device_text
from accounts.models import Customer, CustomerSession
from core import clock
from core.visitors import visitor_id
from storefront.sign_in import presenter
from storefront.sign_in.answers import see_other, status_of
from storefront.sign_in.asked import way_on
from storefront.sign_in.forms import TOO_MANY_CODES, NewPasswordForm, credential_in
from storefront.sign_in.views.door import send

View = Callable[..., HttpResponse]


def freshly_proven(view: View) -> View:
    """Ask for a code first, unless the customer has just typed one. Staff are sent to their account at the desk."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        _customer, session = _signed_in_customer(request)
        if is_of_staff(session.user):
            return see_other("my_security")
        if not is_fresh(session, now=clock.now()):
            asks = request.get_full_path() if request.method in {"GET", "HEAD"} else reverse("my_security")
            return redirect(f"{reverse('my_confirm')}?{urlencode({'next': asks}, safe='/')}")
        return view(request, *args, **kwargs)

    return checked


@require_safe
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Show how and where the customer signs in."""
    customer, session = _signed_in_customer(request)
    user, now = session.user, clock.now()
    context: dict[str, Any] = {
        "email": customer.email,
        "is_of_staff": is_of_staff(user),
        "has_password": user.has_usable_password(),
        "passkeys": presenter.passkey_rows(customer_secrets.passkeys_of(user)),
        "browsers": presenter.browser_rows(open_customer_sessions(user, now=now), current=session.pk, now=now),
    }
    return render(request, "storefront/sign_in/security.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest) -> HttpResponse:
    """Send a code to the customer's mailbox. Typing it leads on, in a new session."""
    customer, _session = _signed_in_customer(request)
    problem = ""
    if request.method == "POST":
        visitor = visitor_id(request)
        if may_ask_for_code(request, customer.email, visitor):
            return send(request, customer.email, visitor)
        problem = str(TOO_MANY_CODES)
    context = {"email": customer.email, "problem": problem, "next": way_on(request)}
    return render(request, "storefront/sign_in/confirm.html", context, status=status_of(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@freshly_proven
def password(request: HttpRequest) -> HttpResponse:
    """Set, change or remove the password, which signs the customer out in every other browser."""
    _customer, session = _signed_in_customer(request)
    user, is_removed = session.user, "remove" in request.POST
    form = NewPasswordForm(user, request.POST if request.method == "POST" and not is_removed else None)
    if is_removed or form.is_valid():
        new = "" if is_removed else form.cleaned_data["new_password1"]
        customer_secrets.set_password(user, new, now=clock.now())
        end_customer_sessions(user, keep=session.pk)
        messages.success(
            request,
            gettext("Your password is removed. You are signed out in all other browsers.")
            if is_removed
            else gettext("Your password is set. You are signed out in all other browsers."),
        )
        return see_other("my_security")
    context = {"form": form, "has_password": user.has_usable_password(), "email": user.email}
    return render(request, "storefront/sign_in/password.html", context, status=status_of(request))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@freshly_proven
def new_passkey(request: HttpRequest) -> HttpResponse:
    """Add a passkey of this device."""
    _customer, session = _signed_in_customer(request)
    if request.method == "POST":
        try:
            credential = customer_secrets.checked_passkey(credential_in(request))
        except PasskeyRefused:
            messages.warning(request, gettext("The passkey was not accepted. Please try again."))
            return see_other("my_passkey_new")
        name = device_text(request.headers.get("User-Agent", ""))
        customer_secrets.add_passkey(session.user, credential, name, now=clock.now())
        messages.success(request, gettext("From now on you can sign in with the passkey of this device."))
        return see_other("my_security")
    context = {"challenge": json.dumps(begin_registration(session.user, passwordless=True))}
    return render(request, "storefront/sign_in/new_passkey.html", context)


@require_POST
@never_cache
@freshly_proven
def remove_passkey(request: HttpRequest, authenticator_id: int) -> HttpResponse:
    _customer, session = _signed_in_customer(request)
    customer_secrets.remove_passkey(session.user, authenticator_id, now=clock.now())
    return see_other("my_security")


@require_POST
@never_cache
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out in another browser."""
    _customer, session = _signed_in_customer(request)
    end_customer_sessions(session.user, only=session_id, keep=session.pk)
    return see_other("my_security")


@require_POST
@never_cache
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    _customer, session = _signed_in_customer(request)
    end_customer_sessions(session.user, keep=session.pk)
    messages.success(request, gettext("You are signed out everywhere but here."))
    return see_other("my_security")


def _signed_in_customer(request: HttpRequest) -> tuple[Customer, CustomerSession]:
    """Return the customer of a request that ``config.guard`` has let pass, and the session."""
    customer, session = customer_of(request), session_of(request)
    assert customer is not None and session is not None  # noqa: S101, PT018 (for mypy)
    return customer, session
