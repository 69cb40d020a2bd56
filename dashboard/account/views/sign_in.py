"""Signing in and out. A refusal never says whether the account, the password or the right was wrong.

allauth runs the sign-in: after the password it keeps the user in the session as not signed in yet, until the second
factor is proven. A user without a second factor is signed in by the password alone, which opens only the pages that set
one up (``dashboard.door``).
"""

import json
from functools import partial
from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.base.views import AuthenticateView
from django.contrib.auth.views import LogoutView
from django.http import HttpResponse

from accounts import staff_session
from accounts.second_factor import second_factors_of
from accounts.sign_in import remember_device
from core import clock
from dashboard.account.forms import CodeForm, PasskeyForm, SignInForm
from dashboard.account.presenter import ended_text, second_step
from dashboard.account.way_on import first_page
from dashboard.door import ENDED


class SignIn(LoginView):  # type: ignore[misc] # allauth has no types
    """Ask for e-mail and password, then for the second factor, then open the requested page if it is on this site."""

    template_name = "dashboard/account/sign_in.html"
    form_class = SignInForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "now": clock.now()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "ended": ended_text(self.request.GET.get(ENDED, ""))}

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        if self.request.user.is_authenticated:
            staff_session.begin(self.request.session, now=clock.now())
        else:
            # The session now holds who typed a right password. A key that was known before must not lead to it.
            self.request.session.cycle_key()
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 422
        return response


class SecondStep(AuthenticateView):  # type: ignore[misc]
    """Ask for a passkey, a code of the app or a recovery code, and sign in."""

    template_name = "dashboard/account/second_step.html"
    webauthn_form_class = PasskeyForm

    def get_form_class(self) -> Any:
        return partial(CodeForm, now=clock.now())

    def form_valid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        user = self.stage.login.user
        if self.request.user == user:
            staff_session.prove(self.request.session, user, now=clock.now())
            remember_device(self.request, response, user.email)
            response["Location"] = first_page(response["Location"], user)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data())
        response.status_code = 422
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, context = self.stage.login.user, super().get_context_data(**kwargs)
        return {
            **context,
            "challenge": json.dumps(context["js_data"]["request_options"]),
            "step": second_step(user, second_factors_of(user)),
            "typed": self.request.POST.get("kind", "") if self.auth_form.errors else "",
        }


class SignOut(LogoutView):
    """Sign out by POST only, so that an image in an e-mail cannot sign a user out. It also ends a half-done sign-in."""

    http_method_names = ["post"]
    next_page = "account_login"
