"""Who works here and may do what: invitations, roles, and people who leave. Each change leaves a TeamEvent.

All changes wait for each other, so that two owners who act at once cannot leave the business without an owner.
"""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.customer_secrets import drop_passkeys_of_customer
from accounts.models import User
from accounts.open_sessions import end_sessions
from accounts.second_factor import reset_second_factor
from core.errors import Conflict, Refused
from core.locks import one_at_a_time
from core.outbox import publish
from core.references import link_mac, new_token, trimmed_token
from services.models import Location
from staff.enums import Role
from staff.models import Access, Invitation, StaffMember, TeamEvent

LASTS = timedelta(days=7)
"""How long the link of an invitation works."""
LASTS_ON_THE_COMMAND_LINE = timedelta(days=1)
_LOCK = "team"


class Grant(NamedTuple):
    """A role at one location, or at all of them (None). An owner is one everywhere."""

    role: Role
    location_id: int | None = None


class LastOwner(Refused):
    """The business would have no owner who can sign in."""

    code = "last_owner"


class TeamChanged(Conflict):
    """The roles are not those that the user of the form saw."""

    code = "team_changed"


class InvitationOver(Refused):
    """The invitation was accepted or withdrawn, or its time is over."""

    code = "invitation_over"


@dataclass(frozen=True, slots=True)
class Invited:
    """Who is invited, and as what."""

    email: str
    name: str
    grants: Sequence[Grant]
    staff_member_id: int | None = None
    opens_admin: bool = False


def grants_of(user: User) -> frozenset[Grant]:
    """Return the roles of a user in one query."""
    rows = Access.objects.filter(user=user).values_list("role", "location_id")
    return frozenset(Grant(Role(role), location_id) for role, location_id in rows)


def stored(grants: Iterable[Grant]) -> list[list[str | int | None]]:
    """Return grants as they are stored in JSON, in one order."""
    return [[role.value, place] for role, place in sorted(grants, key=lambda each: (each.role, each.location_id or 0))]


def read_grants(rows: Iterable[Sequence[object]]) -> list[Grant]:
    """Return stored grants. A role that this version does not know is left out."""
    known = set(Role.values)
    return [Grant(Role(str(role)), place if isinstance(place, int) else None) for role, place in rows if role in known]


@transaction.atomic
def invite(invited: Invited, *, by: User | None, lasts: timedelta = LASTS, now: datetime) -> Invitation:
    """Store an invitation and publish ``staff.invited``, which sends the mail. A new one replaces one that is open.

    ``by`` is None on the command line, which prints the link and sends nothing.
    """
    one_at_a_time(_LOCK)
    waiting = Invitation.objects.filter(email__iexact=invited.email, accepted_at=None, withdrawn_at=None)
    waiting.update(withdrawn_at=now)
    invitation = Invitation.objects.create(
        email=invited.email,
        name=invited.name,
        grants=stored(invited.grants),
        opens_admin=invited.opens_admin,
        staff_member_id=invited.staff_member_id,
        nonce=new_token(),
        inviter=by,
        inviter_name=str(by or ""),
        created_at=now,
        expires_at=now + lasts,
    )
    _note(TeamEvent.Kind.INVITED, None, invited.email, invited.grants, by=by, now=now)
    if by is not None:
        publish("staff.invited", f"invitation:{invitation.pk}", {"invitation_id": invitation.pk}, now=now)
    return invitation


@transaction.atomic
def withdraw_invitation(*, invitation_id: int, by: User, now: datetime) -> bool:
    """End an open invitation. Return False if it was accepted or withdrawn before."""
    one_at_a_time(_LOCK)
    invitation = Invitation.objects.filter(pk=invitation_id, accepted_at=None, withdrawn_at=None).first()
    if invitation is None:
        return False
    Invitation.objects.filter(pk=invitation_id).update(withdrawn_at=now)
    _note(TeamEvent.Kind.WITHDRAWN, None, invitation.email, (), by=by, now=now)
    return True


@transaction.atomic
def accept_invitation(*, invitation_id: int, name: str, password: str, now: datetime) -> User:
    """Make the invited person a user with the roles of the invitation, and return the user.

    A user who exists keeps name and password; the caller has checked that password. A profile of the team that has
    another user meanwhile stays with that user.

    :raises InvitationOver: when the link has been used, or no longer works.
    """
    one_at_a_time(_LOCK)
    invitation = Invitation.objects.select_related("inviter").get(pk=invitation_id)
    if not is_open(invitation, now=now) or not inviter_still_may(invitation):
        raise InvitationOver(_("This invitation is over. Ask for a new one."))
    user = user_of_invitation(invitation)
    if user is not None:
        drop_passkeys_of_customer(user)
    if user is None:
        user = User.objects.create_user(invitation.email, password, name=name)
    elif not user.has_usable_password():
        user.set_password(password)
        user.name = user.name or name
        user.save(update_fields=["password", "name"])
    if invitation.opens_admin:
        user.is_staff = user.is_superuser = True
        user.save(update_fields=["is_staff", "is_superuser"])
    places = {None, *Location.objects.values_list("pk", flat=True)}
    offered = frozenset(each for each in read_grants(invitation.grants) if each.location_id in places)
    _give(user, offered - grants_of(user))
    if invitation.staff_member_id and not StaffMember.objects.filter(user=user).exists():
        StaffMember.objects.filter(pk=invitation.staff_member_id, user=None).update(user=user)
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now)
    _note(TeamEvent.Kind.ACCEPTED, user, str(user), grants_of(user), by=user, now=now)
    return user


@transaction.atomic
def set_roles(
    *,
    user_id: int,
    wanted: Iterable[Grant],
    seen: Iterable[Grant],
    profile_id: int | None,
    seen_profile_id: int | None,
    by: User,
    now: datetime,
) -> bool:
    """Replace a user's roles and their profile in the team. Return False if both were so already.

    ``seen`` and ``seen_profile_id`` are what the form showed. A profile that is another user's stays with that user.
    Who is no owner any more has invited nobody: their open invitations end.

    :raises TeamChanged: when roles or profile are no longer those that were seen.
    :raises LastOwner: when nobody else is an owner.
    """
    one_at_a_time(_LOCK)
    user, new = User.objects.get(pk=user_id), frozenset(wanted)
    before = grants_of(user)
    profile_before = StaffMember.objects.filter(user=user).values_list("pk", flat=True).first()
    if (before, profile_before) == (new, profile_id):
        return False
    if (before, profile_before) != (frozenset(seen), seen_profile_id):
        raise TeamChanged(_("Somebody has changed these roles meanwhile. Here are those of now."))
    if new and not before:
        drop_passkeys_of_customer(user)
    if Grant(Role.OWNER) in before and Grant(Role.OWNER) not in new:
        _keep_an_owner(user)
        _withdraw_those_of(user, now)
    StaffMember.objects.filter(user=user).exclude(pk=profile_id or 0).update(user=None)
    StaffMember.objects.filter(pk=profile_id or 0, user=None).update(user=user)
    for role, place in before - new:
        here = Q(location=None) if place is None else Q(location_id=place)
        Access.objects.filter(here, user=user, role=role).delete()
    _give(user, new - before)
    _note(TeamEvent.Kind.ROLES, user, str(user), new, by=by, now=now)
    return True


@transaction.atomic
def switch_off(*, user_id: int, by: User, now: datetime) -> bool:
    """End a user's sign-in: no session and no link of a booking works any more. Return False if it was off.

    Their open invitations end. Roles and history stay. Publishes ``staff.left`` for a member of the team, whose
    calendar is updated then.

    :raises LastOwner: when nobody else is an owner.
    """
    one_at_a_time(_LOCK)
    user = User.objects.select_for_update(no_key=True).get(pk=user_id)
    if not user.is_active:
        return False
    if Grant(Role.OWNER) in grants_of(user):
        _keep_an_owner(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(user)
    _withdraw_those_of(user, now)
    if StaffMember.objects.filter(user=user).exists():
        publish("staff.left", f"user:{user.pk}:{now.isoformat()}", {"user_id": user.pk}, now=now)
    _note(TeamEvent.Kind.LEFT, user, str(user), grants_of(user), by=by, now=now)
    return True


@transaction.atomic
def switch_on(*, user_id: int, by: User, now: datetime) -> bool:
    """Let a user sign in again, with the roles from before. Return False if they could."""
    one_at_a_time(_LOCK)
    user = User.objects.get(pk=user_id)
    if user.is_active:
        return False
    User.objects.filter(pk=user_id).update(is_active=True)
    _note(TeamEvent.Kind.RETURNED, user, str(user), grants_of(user), by=by, now=now)
    return True


@transaction.atomic
def reset_colleague(*, user_id: int, by: User, now: datetime) -> None:
    """Remove a user's second step, for a colleague who has lost their phone. All their sessions end."""
    user = User.objects.get(pk=user_id)
    reset_second_factor(user, now=now)
    _note(TeamEvent.Kind.RESET, user, str(user), grants_of(user), by=by, now=now)


def user_of_invitation(invitation: Invitation) -> User | None:
    return User.objects.filter(email__iexact=invitation.email).first()


def is_open(invitation: Invitation, *, now: datetime) -> bool:
    """Return whether the link of an invitation still works."""
    return invitation.accepted_at is None and invitation.withdrawn_at is None and now < invitation.expires_at


def inviter_still_may(invitation: Invitation) -> bool:
    """Return whether the inviter could send this invitation today. Otherwise a former owner would come back by it."""
    inviter = invitation.inviter
    if inviter is None:
        # An invitation by the command line has no name of an inviter either.
        return not invitation.inviter_name
    if not inviter.is_active or (invitation.opens_admin and not inviter.is_superuser):
        return False
    return Grant(Role.OWNER) in grants_of(inviter)


def open_invitations_of(user: User) -> QuerySet[Invitation]:
    return Invitation.objects.filter(inviter=user, accepted_at=None, withdrawn_at=None)


def invitation_url(invitation: Invitation) -> str:
    """Return the full address that accepts an invitation."""
    return f"{settings.SITE_URL}/desk/invitation/{invitation.pk}-{_mac(invitation)}/"


def invitation_of(raw_token: str) -> Invitation | None:
    """Return the invitation of a link, open or not; None if the link is not genuine."""
    number, _dash, mac = trimmed_token(raw_token).partition("-")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        return None
    invitation = Invitation.objects.select_related("inviter").filter(pk=int(number)).first()
    if invitation is None or not hmac.compare_digest(_mac(invitation).encode(), mac.encode()):
        return None
    return invitation


def _mac(invitation: Invitation) -> str:
    return link_mac(settings.LINK_KEY, f"invitation:{invitation.pk}:{invitation.nonce}")


def _withdraw_those_of(user: User, now: datetime) -> None:
    open_invitations_of(user).update(withdrawn_at=now)


def _give(user: User, grants: Iterable[Grant]) -> None:
    Access.objects.bulk_create(Access(user=user, role=role, location_id=place) for role, place in grants)


def _keep_an_owner(leaving: User) -> None:
    others = Access.objects.filter(role=Role.OWNER, location=None, user__is_active=True).exclude(user=leaving)
    if not others.exists():
        raise LastOwner(_("This is the only owner. Make somebody else an owner first."))


def _note(
    kind: TeamEvent.Kind, user: User | None, user_name: str, grants: Iterable[Grant], *, by: User | None, now: datetime
) -> None:
    TeamEvent.objects.create(
        kind=kind, user=user, user_name=user_name, grants=stored(grants), actor=by, actor_name=str(by or ""), at=now
    )
