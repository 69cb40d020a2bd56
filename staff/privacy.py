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
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {}
