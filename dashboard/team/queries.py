"""What the pages about the team read."""

from collections.abc import Sequence
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import User
from accounts.second_factor import APP, PASSKEY
from services.models import Location
from staff.models import Access, Invitation, StaffMember, TeamEvent

MOST_LISTED = 200
MOST_EVENTS = 20


@dataclass(frozen=True, slots=True)
class Member:
    """A user with a role, or with rights in the admin, and what they have to sign in with."""

    user: User
    accesses: Sequence[Access]
    profile: StaffMember | None
    has_second_step: bool


def members() -> list[Member]:
    """Return everybody who works here, active ones first. Three queries."""
    return _members(_staff_users().order_by("-is_active", "name", "email")[:MOST_LISTED])


def member(user_id: int) -> Member | None:
    """Return one of them; None for a user who is only a customer."""
    return next(iter(_members(_staff_users().filter(pk=user_id))), None)


def open_invitations() -> list[Invitation]:
    """Return invitations that wait for an answer, and those whose time ran out in silence."""
    waiting = Invitation.objects.filter(accepted_at=None, withdrawn_at=None)
    return list(waiting.select_related("staff_member")[:MOST_LISTED])


def places() -> list[Location]:
    return list(Location.objects.filter(is_active=True))


def free_profiles(user: User | None = None) -> list[StaffMember]:
    """Return the profiles of the team that are nobody's sign-in, or this user's."""
    mine = Q(user=None) | (Q(user=user) if user else Q())
    return list(StaffMember.objects.filter(mine, is_active=True))


def events(user: User) -> list[TeamEvent]:
    """Return the latest changes of a user's rights."""
    about = Q(user=user) | Q(user=None, user_name__iexact=user.email)
    return list(TeamEvent.objects.filter(about)[:MOST_EVENTS])


def _staff_users() -> QuerySet[User]:
    has_role = Exists(Access.objects.filter(user=OuterRef("pk")))
    has_history = Exists(TeamEvent.objects.filter(user=OuterRef("pk")))
    second_step = Authenticator.objects.filter(user=OuterRef("pk"), type__in=(APP, PASSKEY))
    found = User.objects.filter(has_role | has_history | Q(is_staff=True))
    return found.annotate(has_second_step=Exists(second_step))


def _members(users: QuerySet[User]) -> list[Member]:
    found = list(users.select_related("staff_member").prefetch_related("accesses__location"))
    return [
        Member(
            user, list(user.accesses.all()), getattr(user, "staff_member", None), bool(vars(user)["has_second_step"])
        )
        for user in found
    ]
