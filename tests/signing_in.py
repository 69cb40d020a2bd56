"""Signing in without the pages, for tests of what comes after it, and the codes of apps for tests of the pages."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.customer_session import begin_request, cookie_name, end_request
from accounts.customer_session import sign_in_customer as begin_session
from accounts.models import Customer, User
from accounts.second_factor import code_at, step_at
from accounts.staff_session import prove
from bookings.operations.customer_sign_in import claim_mailbox
from core import clock

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# Before a page asks once more who is there.
SIGNED_IN_FOR = timedelta(minutes=4)


def sign_in_staff(client: Client, user: User) -> None:
    """Sign in, and leave the mark in the session that a second factor leaves there.

    Whenever a test has moved the clock on, the user signs in again before the next request, as they would have to.
    """
    client.force_login(user)
    signed_in_at = _prove(client, user)

    def request(**environ: Any) -> HttpResponse:
        nonlocal signed_in_at
        is_signed_in = settings.SESSION_COOKIE_NAME in client.cookies
        if is_signed_in and not timedelta(0) <= clock.now() - signed_in_at < SIGNED_IN_FOR:
            signed_in_at = _prove(client, user)
        return Client.request(client, **environ)

    client.request = request  # type: ignore[method-assign]


def sign_in_customer(client: Client, customer: Customer) -> Customer:
    """Sign in as a customer who has just proven their mailbox, and return their record as it is now."""
    now, request, response = clock.now(), RequestFactory().get("/my/sign-in/code/"), HttpResponse()
    signed_in = claim_mailbox(email=customer.email, language="en", now=now)
    begin_request(request, now=now)
    begin_session(request, signed_in, now)
    end_request(request, response)
    client.cookies[cookie_name()] = response.cookies[cookie_name()].value
    return signed_in


def _prove(client: Client, user: User) -> datetime:
    now, session = clock.now(), client.session
    session.pop("staff", None)
    prove(session, user, now=now)
    session.save()
    return now


def code_of(secret: str = SECRET, *, steps: int = 0) -> str:
    """The code that an app shows now, or ``steps`` of half a minute later."""
    return code_at(secret, step_at(clock.now()) + steps)
