"""Setting up a second step: an app that shows codes, or a passkey. The first one brings recovery codes, shown once."""

import json
from collections.abc import Sequence
from datetime import datetime

from allauth.mfa.webauthn.internal.auth import begin_registration
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import second_factor, staff_session
from accounts.devices import device_text
from accounts.models import User
from accounts.second_factor import CodeAnswer, SecondFactorExists, second_factors_of
from accounts.sign_in import remember_device
from core import clock
from dashboard.account import presenter
from dashboard.account.forms import REFUSALS, AppForm, NewPasskeyForm
from dashboard.account.way_on import way_on
from dashboard.door import end_session, user_of
from services.queries import business_if_set_up

_SECRET = "set_up_secret"  # noqa: S105 (a name in the session)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def set_up(request: HttpRequest) -> HttpResponse:
    """Show the ways to set up a second step, and store the one that is proven."""
    user, now = user_of(request), clock.now()
    is_first = not staff_session.is_proven(request.session, user, now=now)
    form = _sent_form(request, user)
    if form is not None and form.is_valid():
        try:
            codes = _store(request, user, form, is_first=is_first, now=now)
        except SecondFactorExists as refusal:
            end_session(request)
            messages.warning(request, str(refusal))
            return redirect("account_login")
        if codes is not None:
            return _done(request, user, codes, now)
    business = business_if_set_up()
    secret = second_factor.plain_secret(_secret(request))
    context = {
        "app": presenter.new_app(user, secret, issuer=business.text("name") if business else request.get_host()),
        "challenge": json.dumps(begin_registration(user, passwordless=False)),
        "app_form": form if isinstance(form, AppForm) else AppForm(),
        "passkey_form": form if isinstance(form, NewPasskeyForm) else NewPasskeyForm(user=user),
        "has_app": second_factors_of(user).app is not None,
        "is_first": is_first,
        "next": way_on(request),
    }
    return render(request, "dashboard/account/set_up.html", context, status=200 if form is None else 422)


def _sent_form(request: HttpRequest, user: User) -> AppForm | NewPasskeyForm | None:
    if request.method != "POST":
        return None
    return NewPasskeyForm(user=user, data=request.POST) if "credential" in request.POST else AppForm(request.POST)


def _store(
    request: HttpRequest, user: User, form: AppForm | NewPasskeyForm, *, is_first: bool, now: datetime
) -> Sequence[str] | None:
    """Store the app or passkey and return new recovery codes, if it brings any; None with an error for a wrong code.

    :raises SecondFactorExists: if the user set up a first one elsewhere meanwhile.
    """
    if isinstance(form, NewPasskeyForm):
        name = device_text(request.headers.get("User-Agent", ""))
        return second_factor.add_passkey(user, form.cleaned_data["credential"], name, is_first=is_first, now=now)
    secret = second_factor.plain_secret(_secret(request))
    answer, codes = second_factor.add_app(user, secret, form.cleaned_data["code"], is_first=is_first, now=now)
    if answer is not CodeAnswer.RIGHT:
        form.add_error("code", REFUSALS[answer])
        return None
    del request.session[_SECRET]
    return codes


def _secret(request: HttpRequest) -> str:
    """Return the encrypted secret of the app that is being set up. It stays the same until a code proves it."""
    kept: str | None = request.session.get(_SECRET)
    if kept is None:
        kept = request.session[_SECRET] = second_factor.new_secret()
    return kept


def _done(request: HttpRequest, user: User, codes: Sequence[str], now: datetime) -> HttpResponse:
    """Sign in with the new second factor, and show the recovery codes or go on. The session gets a new key."""
    staff_session.rotate_key(request.session)
    staff_session.prove(request.session, user, now=now)
    response = show_codes(request, user, codes) if codes else redirect(way_on(request, user))
    remember_device(request, response, user.email)
    return response


def show_codes(request: HttpRequest, user: User, codes: Sequence[str]) -> HttpResponse:
    """Show new recovery codes. They are in this answer only, so that they are shown once."""
    context = {
        "codes": presenter.grouped(codes),
        "file": presenter.codes_file(codes, user, request.get_host()),
        "file_name": gettext("recovery-codes.txt"),
        "next": way_on(request, user),
    }
    return render(request, "dashboard/account/codes.html", context)
