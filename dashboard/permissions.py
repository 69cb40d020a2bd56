"""Who may see and do what at the desk. Rights come from the rows of ``staff.Access``, never from Django's user flags.

Roles hold at one location or everywhere and add up. What a user may not see answers like something that does not exist.
``ALLOWED`` is the only table of roles and rights; ``config.access`` says which right each address needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db import connection
from django.db.models import Q, QuerySet

from accounts.models import Customer, User
from bookings.enums import BookingStatus
from bookings.models import Booking
from services.models import Location
from staff.enums import Role


class Act(StrEnum):
    """A right at the desk."""

    SEE_DESK = "see_desk"  # the day and its bookings: all of a location, or only the therapist's own
    SEE_PLACE = "see_place"  # every booking of a location, its messages, to-dos and payments
    READ_RECEIPTS = "read_receipts"
    READ_MESSAGES = "read_messages"  # which messages are sent, and their words
    EDIT_MESSAGES = "edit_messages"  # rules and words of the whole business
    TAKE_MONEY = "take_money"  # record cash, card terminal, transfer; send a payment link; ask Stripe again
    RETURN_MONEY = "return_money"  # refund, or confirm that money was handed back
    WAIVE = "waive"  # fees and prepayments
    OWN_DAY = "own_day"  # the therapist's pages about their own visits
    WRITE_NOTES = "write_notes"  # session notes and follow-ups, which the front desk can't read
    MARK_MISSED = "mark_missed"
    MARK_PROGRESS = "mark_progress"  # arrived, started, completed, and undoing each
    CANCEL = "cancel"
    MOVE = "move"  # to another time or person, and to another length
    ANSWER = "answer"  # requests and help messages
    RESOLVE = "resolve"  # mark an alert about money as settled
    SEND_AGAIN = "send_again"  # resend a message about a booking with the facts of today
    BOOK = "book"  # for a customer who calls or stands at the desk
    BLOCK_TIME = "block_time"  # of staff members, rooms and devices
    EDIT_HOURS = "edit_hours"  # closed days and special hours of a location
    ANSWER_TIME_OFF = "answer_time_off"  # approve or decline a staff member's request
    OVERRIDE = "override"  # hours, notice, horizon, limits and buffers, for one booking and with a reason
    EDIT_CUSTOMERS = "edit_customers"  # add one, change contact details and tags
    EXPORT_CUSTOMERS = "export_customers"  # download lists with names and contact details
    NOTE_CUSTOMERS = "note_customers"  # notes about a customer, which every user of the desk can read
    MERGE_CUSTOMERS = "merge_customers"  # two records of one person become one
    TRUST = "trust"  # block a customer, or never ask them to pay in advance
    PROPOSE = "propose"  # a new service, or other values of a service or of opening hours
    HANDLE_PRIVACY = "handle_privacy"  # requests for access and erasure: open, download the data, decline
    ERASE_CUSTOMERS = "erase_customers"  # approve an erasure, which cannot be undone
    EDIT_RETENTION = "edit_retention"  # how long data is kept
    READ_ACCESS_LOG = "read_access_log"  # which user opened which record
    EXPORT_ACCESS_LOG = "export_access_log"
    MANAGE_TEAM = "manage_team"  # invite people, give and take roles, switch off sign-ins
    WATCH_READING = "watch_reading"  # settle alerts about unusual reading, and set from when there is one
    APPROVE = "approve"  # approve or reject what others propose; customers see it from then on


_BUSINESS_WIDE = frozenset(
    {
        Act.EDIT_MESSAGES,
        Act.APPROVE,
        Act.HANDLE_PRIVACY,
        Act.ERASE_CUSTOMERS,
        Act.EDIT_RETENTION,
        Act.READ_ACCESS_LOG,
        Act.EXPORT_ACCESS_LOG,
        Act.MANAGE_TEAM,
        Act.WATCH_READING,
    }
)
"""Rights over things that belong to no location. A role at a single location does not grant them."""
# Listed one by one, so that a new right belongs to no role until a role here lists it.
_READER = frozenset({Act.SEE_DESK, Act.SEE_PLACE, Act.READ_RECEIPTS})
_AUDIT = frozenset({Act.READ_ACCESS_LOG, Act.EXPORT_ACCESS_LOG})
_FRONT_DESK = _READER | {
    Act.TAKE_MONEY,
    Act.RETURN_MONEY,
    Act.WAIVE,
    Act.MARK_MISSED,
    Act.MARK_PROGRESS,
    Act.BOOK,
    Act.CANCEL,
    Act.MOVE,
    Act.BLOCK_TIME,
    Act.ANSWER,
    Act.RESOLVE,
    Act.SEND_AGAIN,
    Act.OVERRIDE,
    Act.EDIT_CUSTOMERS,
    Act.NOTE_CUSTOMERS,
}
_MANAGER = _FRONT_DESK | {
    Act.TRUST,
    Act.MERGE_CUSTOMERS,
    Act.READ_MESSAGES,
    Act.WRITE_NOTES,
    Act.ANSWER_TIME_OFF,
    Act.EDIT_HOURS,
    Act.EXPORT_CUSTOMERS,
    Act.PROPOSE,
    Act.HANDLE_PRIVACY,
}
_OWNER_ALONE = frozenset(
    {
        Act.EDIT_MESSAGES,
        Act.APPROVE,
        Act.ERASE_CUSTOMERS,
        Act.EDIT_RETENTION,
        Act.MANAGE_TEAM,
        Act.WATCH_READING,
    }
)
ALLOWED: Mapping[Role, frozenset[Act]] = {
    Role.OWNER: _MANAGER | _AUDIT | _OWNER_ALONE,
    Role.MANAGER: _MANAGER,
    Role.FRONT_DESK: _FRONT_DESK,
    Role.THERAPIST: frozenset(
        {Act.SEE_DESK, Act.OWN_DAY, Act.WRITE_NOTES, Act.NOTE_CUSTOMERS, Act.MARK_MISSED, Act.MARK_PROGRESS}
    ),
    Role.AUDITOR: _READER | _AUDIT,
}


def is_business_wide(act: Act) -> bool:
    """Return whether a right needs a role everywhere, because it is about things that belong to no location."""
    return act in _BUSINESS_WIDE


def roles_with(act: Act) -> frozenset[Role]:
    return frozenset(role for role, acts in ALLOWED.items() if act in acts)


# Roles that see every booking of their locations. A therapist sees only their own, at any location.
_WHOLE_LOCATIONS = roles_with(Act.SEE_PLACE)


@dataclass(frozen=True, slots=True)
class Rights:
    """The combined roles of one user.

    ``at`` maps each location id to the roles held there; the key None means every location. ``staff_member_id`` is
    set for a therapist who is on the team.
    """

    at: Mapping[int | None, frozenset[Role]]
    staff_member_id: int | None = None

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset(role for roles in self.at.values() for role in roles)

    @property
    def location_ids(self) -> frozenset[int] | None:
        """Ids of the locations where the user sees every booking; None means all locations."""
        if self.at.get(None, frozenset()) & _WHOLE_LOCATIONS:
            return None
        return frozenset(place for place, roles in self.at.items() if place is not None and roles & _WHOLE_LOCATIONS)

    @property
    def sees_money(self) -> bool:
        """Whether the user sees the lists of a location: payments, to-dos, messages. A therapist does not."""
        return may(self, Act.SEE_PLACE)

    def at_location(self, location_id: int) -> frozenset[Role]:
        return self.at.get(None, frozenset()) | self.at.get(location_id, frozenset())


def may(rights: Rights, act: Act) -> bool:
    """Return whether the user holds a right at any location, or everywhere if it is in ``_BUSINESS_WIDE``."""
    if is_business_wide(act):
        return may_everywhere(rights, act)
    return bool(rights.roles & roles_with(act))


def locations_for(rights: Rights, act: Act) -> QuerySet[Location]:
    """Return the locations where the user holds a right, in the order of the business, before a booking exists."""
    active = Location.objects.filter(is_active=True)
    if may_everywhere(rights, act):
        return active
    return active.filter(pk__in=[place for place, roles in rights.at.items() if place and roles & roles_with(act)])


def may_everywhere(rights: Rights, act: Act) -> bool:
    """Return whether the user holds a right at every location, which is needed for things that belong to none."""
    return any(act in ALLOWED[role] for role in rights.at.get(None, frozenset()))


# In SQL, because each request of the desk asks it, and building the query takes longer than running it.
_RIGHTS = """
SELECT a.role, a.location_id, m.id
FROM staff_access a LEFT JOIN staff_staffmember m ON m.user_id = a.user_id AND m.is_active
WHERE a.user_id = %s
"""


def rights_of(user: User) -> Rights | None:
    """Read the rights of a user; None for a user without any role. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [user.pk])
        found = cursor.fetchall()
    if not found:
        return None
    at: dict[int | None, frozenset[Role]] = {}
    for role, location_id, _ in found:
        at[location_id] = at.get(location_id, frozenset()) | {Role(role)}
    is_therapist = any(Role.THERAPIST in roles for roles in at.values())
    return Rights(at, found[0][2] if is_therapist else None)


def bookings_visible_to(rights: Rights) -> QuerySet[Booking]:
    """Return the bookings of the user's locations and those they perform. A booking that is only held is excluded."""
    booked = Booking.objects.exclude(status=BookingStatus.HELD)
    places = rights.location_ids
    if places is None:
        return booked
    own = Q(pk__in=[])
    if rights.staff_member_id:
        own = Q(pk__in=Booking.objects.filter(lines__staff_member_id=rights.staff_member_id).values("pk"))
    return booked.filter(Q(location_id__in=places) | own)


def limited_to(rights: Rights, act: Act) -> Rights:
    """Return the rights without the roles that lack a right: what is read with them is what the right covers."""
    held = {place: roles & roles_with(act) for place, roles in rights.at.items()}
    return Rights({place: roles for place, roles in held.items() if roles})


def customers_visible_to(rights: Rights) -> QuerySet[Customer]:
    """Return the customers of the business, without merged records. A therapist sees only customers who have a booking
    with them.
    """
    customers = Customer.objects.filter(erased_at=None, merged_into=None)
    if rights.sees_money:
        return customers
    return customers.filter(pk__in=bookings_visible_to(rights).exclude(customer=None).order_by().values("customer"))


def erased_customers_visible_to(rights: Rights) -> QuerySet[Customer]:
    """Return the erased customers of the business, whose pages only say so, for users who see every customer."""
    erased = Customer.objects.filter(erased_at__isnull=False)
    return erased if rights.sees_money else erased.none()


def bookings_run_by(rights: Rights) -> QuerySet[Booking]:
    """Return the bookings of the user's own locations, whose money, messages and open questions the user handles.

    A booking that the user only performs at another location is excluded.
    """
    booked = bookings_visible_to(rights)
    places = rights.location_ids
    return booked if places is None else booked.filter(location_id__in=places)


def location_ids_with(rights: Rights, act: Act) -> frozenset[int] | None:
    """Return the ids of the locations where the user holds a right; None means all locations."""
    if may_everywhere(rights, act):
        return None
    return frozenset(place for place, roles in rights.at.items() if place is not None and roles & roles_with(act))


def locations_visible_to(rights: Rights) -> QuerySet[Location]:
    """Return the locations whose days the user may see, in the order of the business. Two queries at most."""
    places = rights.location_ids
    if places is None:
        return Location.objects.filter(is_active=True)
    visible = Q(pk__in=places)
    if rights.staff_member_id:
        visible |= Q(working_hours__staff_member_id=rights.staff_member_id)
        visible |= Q(bookings__lines__staff_member_id=rights.staff_member_id)
    return Location.objects.filter(visible, is_active=True).distinct()


def can(rights: Rights, act: Act, booking: Booking) -> bool:
    """Return whether the user may do this to a booking (lines loaded). A therapist's role covers only own bookings."""
    roles = rights.at_location(booking.location_id)
    if any(act in ALLOWED[role] for role in roles - {Role.THERAPIST}):
        return True
    return act in ALLOWED[Role.THERAPIST] and _is_own(rights, booking)


def _is_own(rights: Rights, booking: Booking) -> bool:
    own = rights.staff_member_id
    return own is not None and any(line.staff_member_id == own for line in booking.lines.all())
