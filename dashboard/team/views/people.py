"""People and roles at the desk, for owners: who works here, invitations, roles, and sign-ins that end."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bookings.queries.dependents import bookings_ahead
from core.errors import DomainError
from dashboard.door import Desk
from dashboard.team import presenter, queries
from dashboard.team.forms import InviteForm, RolesForm
from dashboard.team.queries import Member
from dashboard.views.pages import desk_page, show
from services.models import Location
from services.queries import zone_of_business
from staff.enums import Role
from staff.team import (
    Grant,
    Invited,
    grants_of,
    invite,
    open_invitations_of,
    read_grants,
    reset_colleague,
    set_roles,
    stored,
    switch_off,
    switch_on,
    withdraw_invitation,
)

_methods = require_http_methods(["GET", "HEAD", "POST"])
_CURRENT = "team"
_MOST_NAMED = 20


@require_safe
@desk_page
def overview(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List everybody who works here with their roles, and the invitations that wait for an answer."""
    names = names_of(queries.places())
    context = {
        "members": [presenter.member_row(each) for each in queries.members()],
        "invitations": [presenter.invitation_row(each, names, now=desk.now) for each in queries.open_invitations()],
        "most": queries.MOST_LISTED,
    }
    return show(request, desk, "dashboard/team/list.html", context, current=_CURRENT)


@_methods
@desk_page
def invite_somebody(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Invite somebody by e-mail. A colleague who has roles already gets further ones when they accept."""
    form = InviteForm(
        request.POST or None,
        places=queries.places(),
        profiles=queries.free_profiles(),
        may_open_admin=desk.user.is_superuser,
        initial={"email": request.GET.get("email", "")},
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        invited = Invited(
            values["email"], values["name"], form.grants(), values["staff_member"], values.get("opens_admin", False)
        )
        invite(invited, by=desk.user, now=desk.now)
        messages.success(request, gettext("The invitation is on its way to %(email)s.") % {"email": values["email"]})
        return _to_team()
    return show(request, desk, "dashboard/team/invite.html", {"form": form}, current=_CURRENT, status=_status(request))


@require_POST
@desk_page
def withdraw(request: HttpRequest, desk: Desk, invitation_id: int) -> HttpResponse:
    """Withdraw an invitation. Its link shows that it is over."""
    if withdraw_invitation(invitation_id=invitation_id, by=desk.user, now=desk.now):
        messages.success(request, gettext("The invitation is withdrawn."))
    else:
        messages.info(request, gettext("This invitation was accepted or withdrawn before."))
    return _to_team()


@_methods
@desk_page
def member(request: HttpRequest, desk: Desk, user_id: int) -> HttpResponse:
    """Show one person's roles, and change them."""
    found = _member(user_id)
    places = queries.places()
    form = _form(found, places, request.POST or None)
    problem = None
    if request.method == "POST" and form.is_valid():
        try:
            _save(request, desk, found, form)
        except DomainError as refusal:
            problem = refusal
            if refusal.status == 409:
                now_so = _member(user_id)
                return _page(request, desk, now_so, _form(now_so, places), places, problem=problem)
        else:
            return _to_team()
    return _page(request, desk, found, form, places, problem=problem)


@_methods
@desk_page
def off(request: HttpRequest, desk: Desk, user_id: int) -> HttpResponse:
    """Show what ends with a person's sign-in, and switch it off."""
    found = _member(user_id)
    problem = None
    if request.method == "POST":
        try:
            switch_off(user_id=user_id, by=desk.user, now=desk.now)
        except DomainError as refusal:
            problem = refusal
        else:
            messages.success(request, gettext("%(name)s cannot sign in any more.") % {"name": found.user})
            return _to_team()
    ahead = bookings_ahead([found.profile], now=desk.now) if found.profile else []
    context = {
        "name": str(found.user),
        "ahead": len(ahead),
        "invited": [each.email for each in open_invitations_of(found.user)[:_MOST_NAMED]],
        "is_self": found.user == desk.user,
        "problem": problem.sentence if problem else "",
        "user_id": user_id,
    }
    status = problem.status if problem else 200
    return show(request, desk, "dashboard/team/off.html", context, current=_CURRENT, status=status)


@require_POST
@desk_page
def on(request: HttpRequest, desk: Desk, user_id: int) -> HttpResponse:
    """Let a person sign in again."""
    found = _member(user_id)
    switch_on(user_id=user_id, by=desk.user, now=desk.now)
    messages.success(request, gettext("%(name)s can sign in again.") % {"name": found.user})
    return _to_member(user_id)


@require_POST
@desk_page
def reset(request: HttpRequest, desk: Desk, user_id: int) -> HttpResponse:
    """Remove the second step of a colleague who has lost their phone."""
    found = _member(user_id)
    if found.user == desk.user:
        messages.warning(request, gettext("Your own second step stays as it is."))
    else:
        reset_colleague(user_id=user_id, by=desk.user, now=desk.now)
        text = gettext("%(name)s sets up a new second step at the next sign-in.")
        messages.success(request, text % {"name": found.user})
    return _to_member(user_id)


def names_of(places: list[Location]) -> Mapping[int | None, str]:
    return {place.pk: place.text("name") for place in places}


def _save(request: HttpRequest, desk: Desk, found: Member, form: RolesForm) -> None:
    """Save roles and profile together, or nothing."""
    set_roles(
        user_id=found.user.pk,
        wanted=form.grants(),
        seen=_seen(request),
        profile_id=form.cleaned_data["staff_member"],
        seen_profile_id=_id_of(request.POST.get("seen_profile", "")),
        by=desk.user,
        now=desk.now,
    )
    messages.success(request, gettext("The roles of %(name)s are saved.") % {"name": found.user})


def _seen(request: HttpRequest) -> list[Grant]:
    """Read the roles that the form showed, written as "role:location" with 0 for all."""
    found = []
    for part in request.POST.get("seen", "").split(",")[:500]:
        role, _colon, place = part.partition(":")
        if role in Role.values:
            found.append(Grant(Role(role), _id_of(place)))
    return found


def _id_of(text: str) -> int | None:
    """Read an id from a form; None for 0 and for anything else."""
    return int(text) or None if text.isascii() and text.isdigit() and len(text) < 10 else None


def _page(
    request: HttpRequest,
    desk: Desk,
    found: Member,
    form: RolesForm,
    places: list[Location],
    *,
    problem: DomainError | None = None,
) -> HttpResponse:
    names = names_of(places)
    zone = zone_of_business()
    context = {
        "form": form,
        "row": presenter.member_row(found),
        "user_id": found.user.pk,
        "seen_profile": found.profile.pk if found.profile else "",
        "is_self": found.user == desk.user,
        "has_second_step": found.has_second_step,
        "seen": ",".join(f"{role}:{place or 0}" for role, place in read_grants(stored(grants_of(found.user)))),
        "events": [presenter.event_row(each, names, zone) for each in queries.events(found.user)],
        "problem": problem.sentence if problem else "",
    }
    status = problem.status if problem else _status(request)
    return show(request, desk, "dashboard/team/member.html", context, current=_CURRENT, status=status)


def _form(found: Member, places: list[Location], data: QueryDict | None = None) -> RolesForm:
    """Return the form of a person's roles as they are stored now, or as it was sent."""
    return RolesForm(
        data,
        places=places,
        profiles=queries.free_profiles(found.user),
        grants=grants_of(found.user),
        profile_id=found.profile.pk if found.profile else None,
    )


def _member(user_id: int) -> Member:
    """:raises Http404: for a user who does not work here."""
    found = queries.member(user_id)
    if found is None:
        raise Http404
    return found


def _status(request: HttpRequest) -> int:
    return 422 if request.method == "POST" else 200


def _to_team() -> HttpResponse:
    response = redirect("desk_team")
    response.status_code = 303
    return response


def _to_member(user_id: int) -> HttpResponse:
    response = redirect("desk_team_member", user_id)
    response.status_code = 303
    return response
