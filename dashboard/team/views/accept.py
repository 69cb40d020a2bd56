"""The page of an invitation: a new colleague chooses a password and goes on to their second step."""

from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import staff_session
from accounts.second_factor import has_second_factor
from accounts.sign_in import sign_in_try
from core import clock
from dashboard.team import presenter, queries
from dashboard.team.forms import AcceptForm
from services.queries import business_if_set_up
from staff.team import InvitationOver, accept_invitation, invitation_of, inviter_still_may, is_open, user_of_invitation


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Show who invites and what the roles mean, and make the invited person a user.

    A colleague who has a second step already signs in with it; a new one sets it up next.

    :raises Http404: for a link that is not genuine, or whose user was switched off.
    """
    now, invitation = clock.now(), invitation_of(token)
    user = user_of_invitation(invitation) if invitation else None
    if invitation is None or (user is not None and not user.is_active):
        raise Http404
    if not is_open(invitation, now=now) or not inviter_still_may(invitation):
        return render(request, "dashboard/team/over.html", {"is_accepted": bool(invitation.accepted_at)}, status=410)
    form = AcceptForm(
        request.POST or None,
        user=user,
        email=invitation.email,
        tried=sign_in_try(request, invitation.email),
        now=now,
        initial={"name": invitation.name},
    )
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            user = accept_invitation(
                invitation_id=invitation.pk, name=values.get("name", ""), password=values["password"], now=now
            )
        except InvitationOver:
            return render(request, "dashboard/team/over.html", {"is_accepted": True}, status=410)
        if has_second_factor(user):
            messages.success(request, gettext("You have your new roles. Sign in as usual."))
            return redirect("account_login")
        login(request, user)
        staff_session.begin(request.session, now=now)
        return redirect("desk_set_up")
    business = business_if_set_up()
    context = {
        "form": form,
        "email": invitation.email,
        "inviter": invitation.inviter_name,
        "business": business.text("name") if business else "",
        "promises": presenter.promise_texts(invitation, {place.pk: place.text("name") for place in queries.places()}),
        "opens_admin": invitation.opens_admin,
    }
    status = 422 if request.method == "POST" else 200
    return render(request, "dashboard/team/accept.html", context, status=status)
