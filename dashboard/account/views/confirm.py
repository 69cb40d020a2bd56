"""Asking again who the user is, and when their session ends.

Pages that return money or hand out data want a fresh proof. ``config.guard`` leads here and the answer leads back.
"""

import json
from typing import Any

from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import staff_session
from accounts.second_factor import second_factors_of
from accounts.sign_in import sign_in_try
from core import clock
from dashboard.account import presenter
from dashboard.account.forms import CodeForm, PasskeyForm, PasswordForm
from dashboard.account.way_on import way_on
from dashboard.door import user_of

PASSWORD = "password"  # noqa: S105 (the name of a form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def confirm(request: HttpRequest) -> HttpResponse:
    """Ask for a passkey, a code or the password, and go on to the page that wanted it."""
    user, now = user_of(request), clock.now()
    sent = request.POST if request.method == "POST" else None
    kind = _kind_of(request)
    tried = sign_in_try(request, user.email)
    forms: dict[str, Any] = {
        "passkey": PasskeyForm(user=user, data=sent if kind == "passkey" else None),
        "app": CodeForm(user=user, now=now, data=sent if kind == "app" else None),
        PASSWORD: PasswordForm(tried=tried, user=user, now=now, data=sent if kind == PASSWORD else None),
    }
    if kind and forms[kind].is_valid():
        staff_session.prove(request.session, user, now=now)
        return _go_on(request)
    factors = second_factors_of(user)
    context = {
        "forms": forms,
        "kind": kind,
        "step": presenter.second_step(user, factors),
        "challenge": json.dumps(begin_authentication(user)) if factors.passkeys else "",
        "next": way_on(request),
    }
    return render(request, "dashboard/account/confirm.html", context, status=422 if kind else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def session(request: HttpRequest) -> JsonResponse:
    """Return in how many seconds the session ends without activity. A POST is one, which the guard has noted."""
    user, now = user_of(request), clock.now()
    if request.method == "POST":
        return JsonResponse({"left": staff_session.IDLE.total_seconds()})
    return JsonResponse({"left": staff_session.seconds_left(request.session, user, now=now)})


def _kind_of(request: HttpRequest) -> str:
    """Return which form was sent: passkey, app or password; empty for none."""
    if request.method != "POST":
        return ""
    if "credential" in request.POST:
        return "passkey"
    return PASSWORD if PASSWORD in request.POST else "app"


def _go_on(request: HttpRequest) -> HttpResponse:
    """Open the page that wanted the proof. A file gets a page with a button, because a download shows no page."""
    url = way_on(request)
    path = url.partition("?")[0]
    if not path.endswith(".csv"):
        return redirect(url)
    context = {"url": url, "back_url": f"{path.rpartition('/')[0]}/"}
    return render(request, "dashboard/account/download.html", context)
