"""Personal data of the team. It ends with the account, not with the erasure of a customer."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from core.personal_data import DataKind, Erasing, Held

HELD = (
    Held(
        model="staff.StaffMember",
        columns=(
            *("translations", "name", "short_name", "slug", "email", "language", "bio", "spoken_languages", "picture"),
            "meeting_url",
        ),
        what=_("Profile of a staff member, as customers see it, and the work e-mail"),
        why=_("To offer times with this person and to send them their bookings"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("Kept while the person is on the team, and afterwards with the visits that they performed."),
    ),
    Held(
        model="staff.TimeOff",
        columns=("reason",),
        what=_("Reason of an absence"),
        why=_("For those who plan the team"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, not about customers."),
    ),
    Held(
        model="staff.Invitation",
        columns=("email", "name", "inviter_name"),
        what=_("Who was invited to work here, and by whom"),
        why=_("To send the invitation, and for the history of who may do what"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, not about customers."),
    ),
    Held(
        model="staff.TeamEvent",
        columns=("user_name", "actor_name"),
        what=_("History of roles: who gave which rights to whom"),
        why=_("To find out later who could see and do what"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, not about customers."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    # Roles with ids of locations, and the random part of a link.
    "staff.Invitation": ("grants", "nonce"),
    "staff.TeamEvent": ("grants",),
}
