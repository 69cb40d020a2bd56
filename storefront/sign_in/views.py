"""Signing in and out of customers, and where they are signed in.

Every address gets the same page, the same words and a code, whether it is known or not.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.customer_session import (
    customer_of,
    end_customer_sessions,
    open_customer_sessions,
    session_of,
    sign_in_customer,
    sign_out,
)
from accounts.customer_sign_in import SignInRefused, count_wrong_code, may_ask_for_code, may_type_code
from accounts.models import Customer, CustomerSession
from accounts.sign_in import remember_device
from accounts.sign_in_code import CodeAnswer
from bookings.operations.customer_sign_in import enter_code, send_code
from core import clock
from core.visitors import remember_visitor, visitor_id
from storefront.cookies import remember_mailbox
from storefront.sign_in import presenter
from storefront.sign_in.asked import Asked, asked_of, forget, remember, way_on
from storefront.sign_in.forms import REFUSALS, TOO_MANY_CODES, TOO_MANY_TRIES, AddressForm, CodeForm


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for the e-mail address and send a code to it."""
    if customer_of(request):
        return _see_other(way_on(request))
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        email = form.cleaned_data["email"]
        visitor = visitor_id(request)
        if may_ask_for_code(request, email, visitor):
            return _send(request, email, visitor)
        form.add_error("email", TOO_MANY_CODES)
    context = {"form": form, "next": way_on(request)}
    return render(request, "storefront/sign_in/sign_in.html", context, status=_status(request))


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


@require_POST
@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Sign out by POST only, so that an image in an e-mail cannot sign a customer out."""
    sign_out(request)
    messages.success(request, gettext("You are signed out."))
    return _see_other("landing")


@require_safe
@never_cache
def security(request: HttpRequest) -> HttpResponse:
    """Show where the customer is signed in."""
    customer, session = _signed_in_customer(request)
    now = clock.now()
    rows = open_customer_sessions(session.user, now=now)
    context: dict[str, Any] = {
        "email": customer.email,
        "browsers": presenter.browser_rows(rows, current=session.pk, now=now),
    }
    return render(request, "storefront/sign_in/security.html", context)


@require_POST
@never_cache
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out in another browser."""
    _customer, session = _signed_in_customer(request)
    end_customer_sessions(session.user, only=session_id, keep=session.pk)
    return _see_other("my_security")


@require_POST
@never_cache
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    _customer, session = _signed_in_customer(request)
    end_customer_sessions(session.user, keep=session.pk)
    messages.success(request, gettext("You are signed out everywhere but here."))
    return _see_other("my_security")


def _send(request: HttpRequest, email: str, visitor: str) -> HttpResponse:
    before = asked_of(request)
    token = send_code(
        email=email, replaced=before.token if before else "", language=get_language() or "en", now=clock.now()
    )
    response = _see_other("my_code")
    remember(response, Asked(token, email, way_on(request)))
    remember_visitor(response, visitor)
    return response


def _code_page(request: HttpRequest, form: CodeForm, asked: Asked) -> HttpResponse:
    context = {"form": form, "email": asked.email, "next": asked.next}
    return render(request, "storefront/sign_in/code.html", context, status=_status(request))


def _signed_in(request: HttpRequest, asked: Asked) -> HttpResponse:
    response = _see_other(asked.next)
    remember_device(request, response, asked.email)
    remember_mailbox(response, asked.email)
    forget(response)
    return response


def _signed_in_customer(request: HttpRequest) -> tuple[Customer, CustomerSession]:
    """Return the customer of a request that ``config.guard`` has let pass, and the session."""
    customer, session = customer_of(request), session_of(request)
    assert customer is not None and session is not None  # noqa: S101, PT018 (for mypy)
    return customer, session


def _see_other(to: str) -> HttpResponse:
    response = redirect(to)
    response.status_code = 303
    return response


def _status(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200
