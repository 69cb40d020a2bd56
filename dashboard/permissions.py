"""Who may see and do what at the desk. A right is a row of ``staff.Access``; Django's flags of a user do not count.

Roles hold at one location or everywhere and add up. Whatever somebody may not see answers like something that does not
exist. The addresses themselves are in the table of ``config.access``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from accounts.models import User
from bookings.enums import BookingStatus
from bookings.models import Booking
from services.models import Location
from staff.enums import Role
from staff.models import Access, StaffMember


class Act(StrEnum):
    """What can be done at the desk."""

    TAKE_MONEY = "take_money"  # record cash, card terminal, transfer; send a link to pay; ask the provider again
    RETURN_MONEY = "return_money"  # refund, hand back
    WAIVE = "waive"  # fees and prepayments
    MARK_MISSED = "mark_missed"
    MARK_PROGRESS = "mark_progress"  # arrived, started, completed, and each taken back
    CANCEL = "cancel"
    MOVE = "move"  # to another time or person
    ANSWER = "answer"  # requests and help messages
    RESOLVE = "resolve"  # say that an alert about money is settled
    SEND_AGAIN = "send_again"  # a message about a booking, as it stands now
    OVERRIDE = "override"  # hours, notice, horizon, limits and buffers, for one booking and with a reason
    TRUST = "trust"  # block a customer, or never ask for money in advance


_FRONT_DESK = frozenset(Act) - {Act.TRUST}
ALLOWED: Mapping[Role, frozenset[Act]] = {
    Role.OWNER: frozenset(Act),
    Role.MANAGER: frozenset(Act),
    Role.FRONT_DESK: _FRONT_DESK,
    Role.THERAPIST: frozenset({Act.MARK_MISSED, Act.MARK_PROGRESS}),
    Role.AUDITOR: frozenset(),
}
# Roles that see every booking of their locations; a therapist sees the own ones, wherever they are.
_WHOLE_LOCATIONS = frozenset({Role.OWNER, Role.MANAGER, Role.FRONT_DESK, Role.AUDITOR})


@dataclass(frozen=True, slots=True)
class Rights:
    """What the roles of one user add up to.

    ``at`` has the roles of each location by its id, with None for everywhere. ``staff_member_id`` is set for a
    therapist who is on the team.
    """

    at: Mapping[int | None, frozenset[Role]]
    staff_member_id: int | None = None

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(role for roles in self.at.values() for role in roles)

    @property
    def location_ids(self) -> frozenset[int] | None:
        """Where every booking may be seen; None is everywhere."""
        if self.at.get(None, frozenset()) & _WHOLE_LOCATIONS:
            return None
        return frozenset(place for place, roles in self.at.items() if place is not None and roles & _WHOLE_LOCATIONS)

    @property
    def sees_money(self) -> bool:
        """Whether the lists of money and of what needs hands are theirs; a therapist has neither."""
        return bool(self.roles & _WHOLE_LOCATIONS)

    def at_location(self, location_id: int) -> frozenset[Role]:
        return self.at.get(None, frozenset()) | self.at.get(location_id, frozenset())


def may_everywhere(rights: Rights, act: Act) -> bool:
    """Whether it is allowed at every place, and so for what belongs to none."""
    return any(act in ALLOWED[role] for role in rights.at.get(None, frozenset()))


def rights_of(user: User) -> Rights | None:
    """Read the rights of a user; None without any. One query, and one more for therapists."""
    at: dict[int | None, frozenset[Role]] = {}
    for role, location_id in Access.objects.filter(user=user).values_list("role", "location_id"):
        at[location_id] = at.get(location_id, frozenset()) | {Role(role)}
    if not at:
        return None
    is_therapist = any(Role.THERAPIST in roles for roles in at.values())
    own = (
        StaffMember.objects.filter(user=user, is_active=True).values_list("pk", flat=True).first()
        if is_therapist
        else None
    )
    return Rights(at, own)


def bookings_visible_to(rights: Rights) -> QuerySet[Booking]:
    """The bookings of the own locations, or only the own ones. What is still being picked is nobody's yet."""
    booked = Booking.objects.exclude(status=BookingStatus.HELD)
    places = rights.location_ids
    if places is None:
        return booked
    own = Q(pk__in=[])
    if rights.staff_member_id:
        own = Q(pk__in=Booking.objects.filter(lines__staff_member_id=rights.staff_member_id).values("pk"))
    return booked.filter(Q(location_id__in=places) | own)


def bookings_run_by(rights: Rights) -> QuerySet[Booking]:
    """The bookings of the own locations: those whose money, messages and open questions are theirs to look after. What
    somebody only performs elsewhere is not among them.
    """
    booked = bookings_visible_to(rights)
    places = rights.location_ids
    return booked if places is None else booked.filter(location_id__in=places)


def locations_visible_to(rights: Rights) -> QuerySet[Location]:
    """The places whose days may be looked at, in the order of the business. Two queries at most."""
    places = rights.location_ids
    if places is None:
        return Location.objects.filter(is_active=True)
    visible = Q(pk__in=places)
    if rights.staff_member_id:
        visible |= Q(working_hours__staff_member_id=rights.staff_member_id)
        visible |= Q(bookings__lines__staff_member_id=rights.staff_member_id)
    return Location.objects.filter(visible, is_active=True).distinct()


def can(rights: Rights, act: Act, booking: Booking) -> bool:
    """Whether this may be done to a booking (its lines loaded). A therapist's role counts for the own ones alone."""
    roles = rights.at_location(booking.location_id)
    if any(act in ALLOWED[role] for role in roles - {Role.THERAPIST}):
        return True
    return act in ALLOWED[Role.THERAPIST] and _is_own(rights, booking)


def _is_own(rights: Rights, booking: Booking) -> bool:
    own = rights.staff_member_id
    return own is not None and any(line.staff_member_id == own for line in booking.lines.all())


def may_read_receipts(rights: Rights, booking: Booking) -> bool:
    """Whether somebody reads the receipts of a booking, which name its customer: not who only performs the visit."""
    return runs(rights, booking)


def runs(rights: Rights, booking: Booking) -> bool:
    """Whether a booking is of one of the own locations, not only performed by oneself."""
    return bool(rights.at_location(booking.location_id) & _WHOLE_LOCATIONS)


def may_read_messages(rights: Rights) -> bool:
    """Whether somebody sees which messages go, and in which words."""
    return bool(rights.roles & {Role.OWNER, Role.MANAGER})


def may_edit_messages(rights: Rights) -> bool:
    """The words and the rules are those of the whole business, so only who owns it changes them."""
    return Role.OWNER in rights.at.get(None, frozenset())
