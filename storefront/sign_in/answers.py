"""Answers of the pages of the sign-in."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect


def see_other(to: str) -> HttpResponse:
    response = redirect(to)
    response.status_code = 303
    return response


def status_of(request: HttpRequest) -> int:
    """Return the status of a page that asks, or that shows why it did not accept what was sent."""
    return 422 if request.method == "POST" else 200
