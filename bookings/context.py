"""Context that every template may use."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from bookings.catalogue import active_places, the_business
from bookings.presenters.frame import Frame, frame_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give ``frame`` to pages that did not bring their own; it is read when a header or foot is written (2 queries)."""
    return {"frame": SimpleLazyObject(_frame)}


def _frame() -> Frame | None:
    business = the_business()
    return frame_of(business, active_places()) if business else None
