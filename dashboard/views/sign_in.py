"""Signing in and out. A refusal never says whether the account, the password or the right was wrong."""

from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpResponse

from accounts.sign_in import remember_device
from core import clock
from dashboard.forms import SignInForm


class SignIn(LoginView):
    """Sign in by e-mail, then open the requested page if it is on this site."""

    template_name = "dashboard/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    next_page = "desk"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "now": clock.now()}

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        remember_device(self.request, response, form.get_user().email)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        response = self.render_to_response(self.get_context_data(form=form))
        response.status_code = 422
        return response


class SignOut(LogoutView):
    """Sign out by POST only, so that an image in an e-mail cannot sign a user out."""

    http_method_names = ["post"]
    next_page = "desk_sign_in"
