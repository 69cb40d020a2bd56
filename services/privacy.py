"""Personal data in the catalogue: names of staff in the history of settings. Everything else is about the business."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from core.personal_data import DataKind, Erasing, Held

HELD = (
    Held(
        model="services.SettingsChange",
        columns=("actor_name",),
        what=_("Name of the user who changed a setting"),
        why=_("To see who changed a rule on which bookings depend"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, not about customers."),
    ),
    Held(
        model="services.ProposedChange",
        columns=("proposed_by_name", "decided_by_name"),
        what=_("Who proposed a change of the catalogue, and who decided"),
        why=_("To see who changed what is sold"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff, not about customers."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "services.BookingPolicy": ("name",),
    "services.CancellationPolicy": ("name",),
    "services.Business": (
        *("translations", "name", "tagline", "staff_word", "language", "currency", "brand_colour", "phone", "email"),
        *("review_url", "paused_message", "tax_number", "legal_address"),
    ),
    "services.Location": (
        *("translations", "name", "slug", "address", "arrival_hint", "directions_url", "phone", "time_zone"),
    ),
    "services.Closure": ("reason",),
    "services.SettingsChange": ("subject_type", "subject_name", "field", "old", "new", "details"),
    # Values of the catalogue, and words about them.
    "services.ProposedChange": ("subject_name", "currency", "before", "after", "names", "note", "reason", "replaced"),
    "services.ResourceType": ("translations", "name"),
    "services.Category": ("translations", "name", "slug"),
    "services.Service": (
        *("translations", "name", "slug", "summary", "description", "preparation", "picture", "icon"),
    ),
    "services.ServiceVariant": ("translations", "name"),
    "services.AddOn": ("translations", "name"),
    # The resource of a person repeats the name of the staff member, which staff.privacy declares.
    "services.Resource": ("name",),
}
