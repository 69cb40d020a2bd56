"""Context that every template may use."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from storefront.catalogue import business_and_places
from storefront.presenters.frame import Frame, frame_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give ``frame`` to pages that did not bring their own; it is read when a header or foot is written (1 query)."""
    return {"frame": SimpleLazyObject(_frame)}


def _frame() -> Frame | None:
    found = business_and_places()
    return frame_of(*found) if found else None
