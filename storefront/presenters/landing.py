"""The landing page: the services, the next times of each, and what is free today. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext

from bookings.wording.zones import city, zone_note
from core.formats import day_text, near_day_text, phone_href, time_text
from services.enums import Delivery, PaymentMode
from storefront.catalogue import Catalogue, Opening, Place, ServiceOffer, VariantOffer
from storefront.presenters.opening import hours_lines, open_sentence_of
from storefront.presenters.picker import length_words, price_words

NEXT_TIMES = 3
NEXT_FREE = 3
FACES = 4
NAMES = 3
APART = 60

# Free starts (epoch minutes) by length and place, as the availability engine returns them.
StartsOf = Mapping[int, Mapping[int, Sequence[int]]]


class NextStart(NamedTuple):
    minute: int
    place_id: int
    place: Place


@dataclass(frozen=True, slots=True)
class _Reader:
    """The reader's context: the date at the business, the visitor's zone, and whether places have several zones."""

    today: date
    zone: ZoneInfo | None
    has_several_zones: bool

    def zone_words(self, start: NextStart) -> str:
        """Return the zone of a time, and the time on the visitor's own clock; empty where neither is in doubt."""
        zone = start.place.zone
        alone = gettext("%(city)s time") % {"city": city(zone)} if self.has_several_zones else ""
        return zone_note(_local(start), zone, self.zone) or alone


def landing_page(
    catalogue: Catalogue,
    starts: StartsOf,
    openings: Mapping[int, Opening],
    *,
    urls: Mapping[str, str],
    has_stripe: bool,
    now: datetime,
    visitor_zone: ZoneInfo | None = None,
) -> dict[str, Any]:
    """Return the whole page. ``starts`` has the first length of each service; ``urls`` maps a slug to its picker.

    ``has_stripe``: the business can take payments online.
    """
    catalogue = _bookable(catalogue)
    business = catalogue.business
    places = {place.id: place for place in catalogue.places}
    next_of = {service.id: _next(service, starts, places) for service in catalogue.services}
    local_now = now.astimezone(catalogue.places[0].zone) if catalogue.places else now
    reader = _Reader(local_now.date(), visitor_zone, len({place.zone for place in catalogue.places}) > 1)
    return {
        "name": business.name,
        "tagline": business.tagline,
        "is_paused": business.is_booking_paused,
        "paused_message": business.paused_message,
        "open_sentence": open_sentence_of(catalogue.places, openings, now),
        "place_count": _place_count(catalogue),
        "next_free": _next_free(catalogue, next_of, reader),
        "categories": [
            _category(catalogue, key, slug, name, next_of, urls, reader, has_stripe)
            for key, slug, name in catalogue.categories
        ],
        "empty": None if catalogue.services else _nothing_yet(),
        "places": [_place(place, openings.get(place.id)) for place in catalogue.places],
    }


def _bookable(catalogue: Catalogue) -> Catalogue:
    """Leave out services that customers cannot book, and categories that are then empty."""
    services = tuple(service for service in catalogue.services if service.is_performed)
    used = {service.category_id for service in services}
    return replace(
        catalogue, services=services, categories=tuple(each for each in catalogue.categories if each[0] in used)
    )


def _nothing_yet() -> dict[str, str]:
    return {
        "title": gettext("Nothing to book yet"),
        "text": gettext("Services are being set up. Please look in again soon, or call us."),
    }


def _category(
    catalogue: Catalogue,
    key: int,
    slug: str,
    name: str,
    next_of: Mapping[int, list[NextStart]],
    urls: Mapping[str, str],
    reader: _Reader,
    has_stripe: bool,
) -> dict[str, Any]:
    services = [service for service in catalogue.services if service.category_id == key]
    return {
        "slug": slug,
        "name": name,
        "size": len(services),
        "count": ngettext("%(count)d service", "%(count)d services", len(services)) % {"count": len(services)},
        "services": [
            {**_card(catalogue, service, next_of, urls[service.slug], reader), "paying": _paying(service, has_stripe)}
            for service in services
        ],
    }


def _card(
    catalogue: Catalogue, service: ServiceOffer, next_of: Mapping[int, list[NextStart]], url: str, reader: _Reader
) -> dict[str, Any]:
    currency = catalogue.business.currency
    first = service.variants[0] if service.variants else None
    upcoming = next_of.get(service.id, [])[:NEXT_TIMES]
    return {
        "slug": service.slug,
        "name": service.name,
        "summary": service.summary,
        "picture_url": service.picture_url,
        "icon": service.icon,
        "url": url,
        "variant_id": first.id if first else "",
        "lengths": [
            (_length_url(url, service, variant), length_words(variant), price_words(variant, currency))
            for variant in service.variants
        ],
        "next_label": _next_label(service, upcoming),
        "faces": service.people[:FACES],
        "names": _names(service),
        "times": [_time(start, reader, says_place=service.names_place) for start in upcoming],
        "note": "" if upcoming else _no_time_words(catalogue, service),
    }


def _paying(service: ServiceOffer, has_stripe: bool) -> str:
    """Return how customers pay, in as few words as possible."""
    if service.needs_answer:
        return gettext("On request")
    if service.payment_mode == PaymentMode.NONE:
        return ""
    is_met = service.delivery in {Delivery.LOCATION, Delivery.CUSTOMER}
    later = gettext("Pay at the visit") if is_met else gettext("Pay later")
    online = {
        PaymentMode.DEPOSIT: gettext("Deposit when booking"),
        PaymentMode.FULL: gettext("Pay when booking"),
        PaymentMode.CARD: gettext("Book with a card"),
    }
    return online.get(service.payment_mode, later) if has_stripe else later


def _where(service: ServiceOffer, start: NextStart) -> str:
    """Return the place, or how the visit takes place if customers come to no place."""
    words = {
        Delivery.LOCATION: start.place.name,
        Delivery.ONLINE: gettext("online"),
        Delivery.PHONE: gettext("by phone"),
        Delivery.CUSTOMER: gettext("at your address"),
    }
    return words[service.delivery]


def _time(start: NextStart, reader: _Reader, *, says_place: bool) -> tuple[str, str, str, str, str]:
    """Return value of the button, day, time, and the place and zone where these are in doubt."""
    local = _local(start)
    place = start.place.name if says_place else ""
    value, day = f"{start.place.id}.{start.minute}", near_day_text(local.date(), reader.today)
    return value, day, time_text(local), place, reader.zone_words(start)


def _next_label(service: ServiceOffer, upcoming: Sequence[NextStart]) -> str:
    """Say which length a tap holds, for a service with several lengths."""
    if len(service.variants) < 2 or not upcoming:
        return ""
    return gettext("Next for %(length)s") % {"length": length_words(service.variants[0])}


def _no_time_words(catalogue: Catalogue, service: ServiceOffer) -> str:
    if catalogue.business.is_booking_paused:
        return gettext("Online booking is paused.")
    days = service.horizon_days
    return ngettext("Nothing free on the next day.", "Nothing free in the next %(count)d days.", days) % {"count": days}


def _next_free(catalogue: Catalogue, next_of: Mapping[int, list[NextStart]], reader: _Reader) -> dict[str, Any] | None:
    """Return the earliest time of each service, nearest first. Rows name their day unless all are today."""
    firsts = sorted(
        ((starts[0], service) for service in catalogue.services if (starts := next_of.get(service.id))),
        key=lambda pair: pair[0].minute,
    )[:NEXT_FREE]
    if not firsts:
        return None
    all_today = all(_local(start).date() == reader.today for start, _ in firsts)
    return {
        "title": gettext("Next free today") if all_today else gettext("Next free"),
        "date": day_text(reader.today) if all_today else "",
        "rows": [
            {
                "day": "" if all_today else near_day_text(_local(start).date(), reader.today),
                "zone": reader.zone_words(start),
                **_next_free_row(catalogue, start, service),
            }
            for start, service in firsts
        ],
    }


def _next_free_row(catalogue: Catalogue, start: NextStart, service: ServiceOffer) -> dict[str, Any]:
    variant = service.variants[0]
    says_place = service.delivery != Delivery.LOCATION or len(catalogue.places) > 1
    place = _where(service, start) if says_place else ""
    return {
        "slug": service.slug,
        "variant_id": variant.id,
        "value": f"{start.place.id}.{start.minute}",
        "time": time_text(_local(start)),
        "what": gettext("%(service)s, %(length)s") % {"service": service.name, "length": length_words(variant)},
        "who": " · ".join(filter(None, (_who(service, variant), place))),
        "price": price_words(variant, catalogue.business.currency),
    }


def _next(service: ServiceOffer, starts: StartsOf, places: Mapping[int, Place]) -> list[NextStart]:
    """Return the next starts over all places, ``APART`` from each other to be a real choice. Closer ones fill up."""
    of_places = starts.get(service.variants[0].id, {})
    soon = sorted(
        NextStart(minute, key, places[key])
        for key in service.location_ids
        for minute in _next_minutes(of_places.get(key, ()))
    )
    apart: list[NextStart] = []
    for start in soon:
        if len(apart) < NEXT_TIMES and (not apart or start.minute >= apart[-1].minute + APART):
            apart.append(start)
    others = [start for start in soon if start not in apart]
    return sorted([*apart, *others[: NEXT_TIMES - len(apart)]])


def _next_minutes(minutes: Sequence[int]) -> set[int]:
    """Return the first minutes, and the first ones that are ``APART`` from each other."""
    chosen = set(minutes[:NEXT_TIMES])
    at = 0
    for _ in range(NEXT_TIMES):
        if at < len(minutes):
            chosen.add(minutes[at])
            at = bisect_left(minutes, minutes[at] + APART)
    return chosen


def _names(service: ServiceOffer) -> str:
    """Return text such as "Ana, Marek, Greta +2"."""
    names = [person.name for person in service.people]
    listed = ", ".join(names[:NAMES])
    return f"{listed} +{len(names) - NAMES}" if len(names) > NAMES else listed


def _who(service: ServiceOffer, variant: VariantOffer) -> str:
    """Return the name of the only staff member, or "Ana or Marek" for two. With more, a name would promise too much."""
    people = [person.name for person in service.people if person.id in variant.prices]
    if len(people) == 2:
        return gettext("%(one)s or %(other)s") % {"one": people[0], "other": people[1]}
    return people[0] if len(people) == 1 else ""


def _length_url(url: str, service: ServiceOffer, variant: VariantOffer) -> str:
    return url if variant == service.variants[0] else f"{url}?{urlencode({'variant': variant.id})}"


def _place(place: Place, opening: Opening | None) -> dict[str, Any]:
    return {
        "slug": place.slug,
        "name": place.name,
        "address": place.address,
        "hours": hours_lines(opening) if opening else [],
        "directions_url": place.directions_url,
        "phone": place.phone,
        "phone_href": phone_href(place.phone),
    }


def _place_count(catalogue: Catalogue) -> str:
    count = len(catalogue.places)
    return ngettext("%(count)d location", "%(count)d locations", count) % {"count": count} if count > 1 else ""


def _local(start: NextStart) -> datetime:
    return datetime.fromtimestamp(start.minute * 60, tz=UTC).astimezone(start.place.zone)
