"""The team as text: who may do what, who is invited, and what changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core import formats
from dashboard.team.queries import Member
from staff.enums import Role
from staff.models import Invitation, TeamEvent
from staff.team import Grant, is_open, read_grants

# What each role means, as one sentence.
ROLE_SENTENCES = {
    Role.OWNER: _("Sees and does everything, invites people, approves changes, and erases customers on request."),
    Role.MANAGER: _("Runs a location: bookings, money, time off, opening hours, proposals, customers and downloads."),
    Role.FRONT_DESK: _("Books, moves and cancels, takes and returns money, and looks after customers."),
    Role.THERAPIST: _("Sees their own visits and customers, writes session notes, and asks for time off."),
    Role.AUDITOR: _("Reads bookings, payments and receipts, and changes nothing."),
}


@dataclass(frozen=True, slots=True)
class MemberRow:
    name: str
    email: str
    url: str
    roles: Sequence[str]
    notes: Sequence[str]
    is_active: bool


@dataclass(frozen=True, slots=True)
class InvitationRow:
    id: int
    email: str
    name: str
    roles: str
    state: str
    is_over: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    title: str
    note: str


def member_row(member: Member) -> MemberRow:
    user = member.user
    notes = []
    if not user.is_active:
        notes.append(gettext("Cannot sign in"))
    elif not member.has_second_step:
        notes.append(gettext("No second step yet"))
    if user.is_superuser:
        notes.append(gettext("May change all settings"))
    if member.profile and member.profile.name != str(user):
        notes.append(gettext("Performs the visits of %(name)s") % {"name": member.profile.name})
    names = {access.location_id: access.location.text("name") for access in member.accesses if access.location}
    grants = [Grant(Role(access.role), access.location_id) for access in member.accesses]
    return MemberRow(
        str(user),
        user.email if str(user) != user.email else "",
        reverse("desk_team_member", args=[user.pk]),
        role_texts(grants, names),
        notes,
        user.is_active,
    )


def role_texts(grants: Iterable[Grant], places: Mapping[int | None, str]) -> list[str]:
    """Return one text per role, the most powerful first: "Manager at Kreuzberg, Mitte". A lost place is left out."""
    texts = []
    chosen = list(grants)
    for role in Role:
        held = [place for each, place in chosen if each == role]
        names = [places[place] for place in held if place in places]
        label = str(role.label).capitalize()
        if None in held:
            texts.append(label)
        elif names:
            texts.append(gettext("%(role)s at %(places)s") % {"role": label, "places": ", ".join(sorted(names))})
    return texts


def invitation_row(invitation: Invitation, places: Mapping[int | None, str], *, now: datetime) -> InvitationRow:
    if is_open(invitation, now=now):
        days = (invitation.expires_at - now).days
        state = gettext("open until today") if days < 1 else gettext("open for %(days)d more days") % {"days": days}
        if days == 1:
            state = gettext("open for one more day")
    else:
        state = gettext("its time is over: invite again")
    roles = "; ".join(role_texts(read_grants(invitation.grants), places))
    is_over = not is_open(invitation, now=now)
    return InvitationRow(invitation.pk, invitation.email, invitation.name, roles, state, is_over)


def event_row(event: TeamEvent, places: Mapping[int | None, str], zone: ZoneInfo) -> EventRow:
    roles = "; ".join(role_texts(read_grants(event.grants), places))
    title = str(event.get_kind_display())
    when = formats.moment_text(event.at.astimezone(zone))
    who = event.actor_name or gettext("command line")
    return EventRow(f"{title}: {roles}" if roles else title, f"{when} · {who}")


def promise_texts(invitation: Invitation, places: Mapping[int | None, str]) -> list[tuple[str, str]]:
    """Return the roles of an invitation with their sentences, for the invited person."""
    grants = read_grants(invitation.grants)
    return [
        (text, str(ROLE_SENTENCES[role]))
        for role in Role
        for text in role_texts([grant for grant in grants if grant.role == role], places)
    ]
