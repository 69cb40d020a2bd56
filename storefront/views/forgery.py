"""The answer to a form whose CSRF token is missing or too old, usually from a page that stayed open for a day."""

from django.http import HttpRequest, HttpResponse

from core import views
from storefront.views import checkout


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Show the details page with the typed values and a new token; for every other form the plain page."""
    match = request.resolver_match
    if match and match.url_name == "details":
        return checkout.details_once_more(request, **match.kwargs)
    return views.csrf_failure(request, reason)
