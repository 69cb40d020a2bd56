"""Personal data in the tables of the outbox, of rate limits and of Django's migrations of content."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from core.personal_data import DataKind, Erasing, Held

HELD = (
    Held(
        model="core.LimitCount",
        columns=("name",),
        what=_("Pseudonym of a network address or an account whose tries are counted"),
        why=_("To slow down guessing and flooding while Redis is down"),
        kind=DataKind.LOGS,
        erasing=Erasing.KEEP,
        note=_("Deleted on its own when its minute, hour or day is over. It cannot be traced to a customer."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    # Ids and primitives. bookings.privacy empties the error of effects about a customer.
    "core.OutboxMessage": ("route", "topic", "key", "payload"),
    "contenttypes.ContentType": ("app_label", "model"),
    "auth.Permission": ("name", "codename"),
    "auth.Group": ("name",),
}
