"""Template context of every page."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from storefront.catalogue import business_and_places
from storefront.presenters.frame import Frame, frame_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Add a lazy ``frame`` to pages that pass none; writing a header or footer reads it with one query."""
    return {"frame": SimpleLazyObject(_frame)}


def _frame() -> Frame | None:
    found = business_and_places()
    return frame_of(*found) if found else None
