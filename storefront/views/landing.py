"""The landing page, and the colours of the business."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from bookings.availability.engine import free_starts
from bookings.availability.loading import availability_facts
from core import clock
from payments.stripe import gateway
from services.brand import DEFAULT_BRAND, brand_css
from storefront.catalogue import Catalogue, ServiceOffer, catalogue, openings
from storefront.cookies import visitor_zone
from storefront.presenters.frame import frame_of
from storefront.presenters.landing import landing_page

# How far ahead to look for next times. Services without any get a second look, up to the end of their horizon.
NEAR_DAYS = 7


@require_safe
@cache_control(private=True, no_cache=True)
def landing(request: HttpRequest) -> HttpResponse:
    """Show every service with its next free times."""
    offered = catalogue()
    if offered is None:
        return _nothing_yet(request)
    now = clock.now()
    page = landing_page(
        offered,
        _next_starts(offered, now),
        openings({place.id: now.astimezone(place.zone).date() for place in offered.places}),
        urls={service.slug: reverse("picker", args=[service.slug]) for service in offered.services},
        has_stripe=gateway.is_configured(),
        now=now,
        visitor_zone=visitor_zone(request),
    )
    return render(
        request, "storefront/landing.html", {"page": page, "frame": frame_of(offered.business, offered.places)}
    )


@require_safe
@cache_control(public=True, max_age=365 * 24 * 3600, immutable=True)
def brand(request: HttpRequest) -> HttpResponse:
    """Serve the colours derived from ``?c=0f766e``. The address changes with the colour: caches may keep it."""
    try:
        css = brand_css(f"#{request.GET.get('c', DEFAULT_BRAND.lstrip('#'))}")
    except ValueError:
        raise Http404 from None
    return HttpResponse(css, content_type="text/css; charset=utf-8")


def _next_starts(offered: Catalogue, now: datetime) -> dict[int, dict[int, list[int]]]:
    """Return the next free starts of the first length of each service. Near days are searched first."""
    if offered.business.is_booking_paused:
        return {}
    services = [service for service in offered.services if service.is_performed]
    found = _starts_of(services, now, range(NEAR_DAYS))
    later = [service for service in services if not any(found[service.variants[0].id].values())]
    if later:
        horizon = max(service.horizon_days for service in later)
        found |= _starts_of(later, now, range(NEAR_DAYS, max(NEAR_DAYS, horizon) + 2))
    return found


def _starts_of(services: Iterable[ServiceOffer], now: datetime, days: range) -> dict[int, dict[int, list[int]]]:
    """Return free starts by length and place. ``days`` count from yesterday, which is still today in some zones."""
    ids = [service.variants[0].id for service in services]
    if not ids:
        return {}
    first = now.date() - timedelta(days=1)
    facts = availability_facts(
        variant_ids=ids, from_on=first + timedelta(days=days.start), until_on=first + timedelta(days=days.stop), now=now
    )
    return {variant_id: free_starts(facts, variant_id) for variant_id in ids}


def _nothing_yet(request: HttpRequest) -> HttpResponse:
    context = {
        "title": gettext("Nothing to book yet"),
        "text": gettext("This page is being set up. Please look in again soon."),
        "frame": None,
    }
    return render(request, "storefront/closed.html", context)
