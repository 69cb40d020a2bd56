"""Counts of a customer's visits. Every page counts the bookings that its reader may see, and says so where there are
others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext

from accounts.contact.mailboxes import normalised_email, same_mailbox
from bookings.enums import TOOK_PLACE, BookingStatus
from bookings.models import Booking
from dashboard.permissions import Rights, bookings_visible_to
from services.models import Location


class Reach(StrEnum):
    """Whose bookings a reader sees, and therefore counts."""

    ALL = "all"
    OWN_PLACES = "own places"
    OWN_VISITS = "own visits"


@dataclass(frozen=True, slots=True)
class Visits:
    """The record of a customer: completed visits and no-shows within ``reach``, and the start of the first and of the
    last completed visit.
    """

    came: int = 0
    missed: int = 0
    since: datetime | None = None
    last: datetime | None = None
    reach: Reach = Reach.ALL


def reach_of(rights: Rights) -> Reach:
    """Return what the reader sees of the bookings of all customers. One query at most."""
    places = rights.location_ids
    if places is None or (places and not Location.objects.exclude(pk__in=places).exists()):
        return Reach.ALL
    return Reach.OWN_PLACES if places else Reach.OWN_VISITS


def visits_of(rights: Rights, customer_ids: Iterable[int]) -> dict[int, Visits]:
    """Return the visits of some customers by customer id, of all that were asked for. Two queries at most."""
    ids, reach = list(customer_ids), reach_of(rights)
    visible = bookings_visible_to(rights).filter(customer_id__in=ids).order_by()
    rows: Iterable[tuple[Any, ...]] = visible.values_list("customer_id").annotate(**_counts())
    found = {pk: Visits(came, missed, since, last, reach) for pk, came, missed, since, last in rows}
    return {pk: found.get(pk, Visits(reach=reach)) for pk in ids}


def visits_before(rights: Rights, booking: Booking) -> Visits:
    """Count earlier visits of the booking's customer, including those under the same e-mail address. Two queries at
    most.
    """
    written = same_mailbox(normalised_email(booking.contact_email) if booking.contact_email else "")
    same = Q(mailbox__in=written)
    if booking.customer_id:
        same |= Q(customer_id=booking.customer_id)
    earlier = (
        bookings_visible_to(rights)
        .annotate(mailbox=Lower("contact_email"))
        .filter(same, starts_at__lt=booking.starts_at)
    )
    return Visits(**earlier.exclude(pk=booking.pk).aggregate(**_counts()), reach=reach_of(rights))


def within_reach(text: str, reach: Reach) -> str:
    """Add to a text about visits that there may be others, such as "9 visits, never missed (at your locations)"."""
    match reach:
        case Reach.OWN_PLACES:
            return gettext("%(visits)s (at your locations)") % {"visits": text}
        case Reach.OWN_VISITS:
            return gettext("%(visits)s (with you)") % {"visits": text}
        case _:
            return text


def reach_note(reach: Reach) -> str:
    """Return the sentence for a list of customers; empty for a reader who sees everything."""
    match reach:
        case Reach.OWN_PLACES:
            return gettext("Visits are those at your locations. A customer may have others.")
        case Reach.OWN_VISITS:
            return gettext("Visits are those with you. A customer may have others.")
        case _:
            return ""


def _counts() -> dict[str, Any]:
    came = Q(status__in=TOOK_PLACE)
    return {
        "came": Count("pk", filter=came),
        "missed": Count("pk", filter=Q(status=BookingStatus.NO_SHOW)),
        "since": Min("starts_at", filter=came),
        "last": Max("starts_at", filter=came),
    }
