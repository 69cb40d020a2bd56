"""One's own account: password, second steps, recovery codes, and the browsers in which one is signed in."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import second_factor, staff_session
from accounts.open_sessions import end_sessions, open_sessions
from accounts.second_factor import LastSecondFactor, second_factors_of
from accounts.sign_in import sign_in_try
from core import clock
from dashboard.account import presenter
from dashboard.account.forms import NewPasswordForm
from dashboard.account.views.set_up import show_codes
from dashboard.door import user_of


@require_safe
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Show what a user has to sign in with, and where they are signed in."""
    user, now = user_of(request), clock.now()
    factors, sessions = second_factors_of(user), open_sessions(user, now=now)
    context = {
        "user_name": str(user),
        "email": user.email,
        "ways": presenter.way_rows(factors),
        "codes": presenter.codes_text(factors),
        "browsers": presenter.browser_rows(sessions, current=request.session.session_key, now=now),
    }
    return render(request, "dashboard/account/account.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def password(request: HttpRequest) -> HttpResponse:
    """Change the own password, which signs the user out in every other browser."""
    user, now = user_of(request), clock.now()
    form = NewPasswordForm(user, request.POST or None, tried=sign_in_try(request, user.email), now=now)
    if request.method == "POST" and form.is_valid():
        second_factor.change_password(user, form.cleaned_data["new_password1"], now=now)
        staff_session.rotate_key(request.session)
        update_session_auth_hash(request, user)
        end_sessions(user, keep=request.session.session_key)
        messages.success(request, gettext("Your password is changed. You are signed out in all other browsers."))
        return _to_account()
    status = 422 if request.method == "POST" else 200
    return render(request, "dashboard/account/password.html", {"form": form}, status=status)


@require_POST
@never_cache
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them once."""
    user = user_of(request)
    return show_codes(request, user, second_factor.new_recovery_codes(user, now=clock.now()))


@require_POST
@never_cache
def remove(request: HttpRequest, authenticator_id: int) -> HttpResponse:
    """Remove an app or a passkey, but never the last one."""
    try:
        second_factor.remove_second_factor(user_of(request), authenticator_id, now=clock.now())
    except LastSecondFactor as refusal:
        messages.warning(request, str(refusal))
    return _to_account()


@require_POST
@never_cache
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out in another browser."""
    end_sessions(user_of(request), only=session_id, keep=request.session.session_key)
    return _to_account()


@require_POST
@never_cache
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    end_sessions(user_of(request), keep=request.session.session_key)
    messages.success(request, gettext("You are signed out everywhere but here."))
    return _to_account()


def _to_account() -> HttpResponse:
    response = redirect("desk_account")
    response.status_code = 303
    return response
