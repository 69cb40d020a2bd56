"""The picker of a service as strings and short tuples, ready to write.

Pure: marks of days and free starts (UTC epoch minutes) in, texts out. Templates only loop, because formatting sixty
times and thirty-five days with template filters would cost more than finding them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from bookings.availability.engine import DayMark
from bookings.wording.zones import away_sentence, shown_time, visitor_time, zone_sentence
from core.formats import countdown_text, minutes_text, moment_text, money_text
from services.enums import Delivery
from storefront.catalogue import Person, Place, VariantOffer
from storefront.presenters.calendar import calendar, merged_marks
from storefront.presenters.choice import Choice, choice_query, place_value, variant_value
from storefront.presenters.times import Starts, Times, day_groups, day_view, more_url, without_repeats

# The default of Business.staff_word.
_USUAL_STAFF_WORD = "Therapist"


@dataclass(frozen=True, slots=True)
class Held:
    """The visitor's held time, of this service or another one."""

    url: str
    release_url: str
    slot: str
    variant_id: int
    service_name: str
    staff_name: str
    place_name: str
    delivery: Delivery
    minutes: int
    price: str
    zone: ZoneInfo
    starts_at: datetime
    expires_at: datetime
    held_at: datetime


def picker_page(
    choice: Choice,
    *,
    marks: Mapping[int, Sequence[DayMark]],
    starts: Starts,
    now: datetime,
    url: str,
    hold_url: str,
    staff_word: str,
    currency: str,
    held: Held | None = None,
    visitor_zone: ZoneInfo | None = None,
) -> dict[str, Any]:
    """Return the whole picker. ``marks`` and ``starts`` are by place id; they count the held time as free."""
    if len(choice.shown_places) > 1 and not choice.service.names_place:
        marks, starts = without_repeats(choice.shown_places, marks, starts)
    days = merged_marks(marks, choice.shown_places)
    held_slot = held.slot if held and held.variant_id == choice.variant.id else ""
    times = Times(choice, starts, held_slot)
    held_on = held.starts_at.astimezone(held.zone).date() if held_slot and held else None
    groups = list(day_groups(choice, days, times, url))
    return {
        "service": choice.service,
        "hold_url": hold_url,
        "variant_id": choice.variant.id,
        "person_slug": choice.person.slug if choice.person else "",
        "person_id": choice.person.id if choice.person else "",
        "query": choice_query(choice),
        "lengths": _lengths(choice, url, currency),
        "staff_word": staff_word,
        "anyone_label": _anyone_words(staff_word),
        "anyone_url": url + choice_query(choice, **{"with": ""}),
        "people": _people(choice, url),
        "about": _about(choice),
        "place_chips": _place_chips(choice, url),
        "zone": _zone_words(choice, visitor_zone, now),
        "has_zones": len({place.zone for place in choice.shown_places}) > 1,
        "day": day_view(choice, days, times, url),
        "groups": groups,
        "more_url": more_url(choice, groups, days, url),
        "calendar": calendar(choice, days, url, held_on),
        "hold": hold_view(held, choice, now=now, visitor_zone=visitor_zone) if held else None,
        "is_free_anywhere": any(mark.free_count for mark in days.values()),
    }


def hold_view(
    held: Held, choice: Choice | None, *, now: datetime, visitor_zone: ZoneInfo | None = None
) -> dict[str, Any]:
    """Return the held time with its countdown. It names the service if the page shows another one."""
    seconds = max(0, int((held.expires_at - now).total_seconds()))
    local = held.starts_at.astimezone(held.zone)
    other = choice is not None and held.variant_id not in {variant.id for variant in choice.service.variants}
    who = _who(held, choice)
    when = moment_text(local)
    return {
        "url": held.url,
        "release_url": held.release_url,
        "when": when,
        "who": f"{held.service_name} · {who}" if other and who else held.service_name if other else who,
        "visitor_time": visitor_time(held.starts_at, held.zone, visitor_zone),
        "expires_ms": int(held.expires_at.timestamp() * 1000),
        "now_ms": int(now.timestamp() * 1000),
        "digits": countdown_text(seconds),
        "seconds_left": seconds,
        "seconds_in_all": max(1, int((held.expires_at - held.held_at).total_seconds())),
        "until": shown_time(held.expires_at, held.zone, visitor_zone),
        "said": gettext("%(when)s is held for you.") % {"when": when},
    }


def price_words(variant: VariantOffer, currency: str, person: Person | None = None) -> str:
    """Return "€80", or "from €80" if staff have different prices and none was chosen; "plus tax" for net prices."""
    if variant.is_plus_tax:
        return gettext("%(price)s plus tax") % {"price": _price(variant, currency, person)}
    return _price(variant, currency, person)


def _price(variant: VariantOffer, currency: str, person: Person | None) -> str:
    if person and person.id in variant.prices:
        return money_text(variant.prices[person.id], currency, short=True)
    prices = set(variant.prices.values()) or {variant.price_minor}
    lowest = money_text(min(prices), currency, short=True)
    return lowest if len(prices) == 1 else gettext("from %(price)s") % {"price": lowest}


def length_words(variant: VariantOffer, person: Person | None = None) -> str:
    """Return "60 min", or "Full back · 60 min" for a length with a name; "60–70 min" if staff take different times and
    none was chosen.
    """
    if person and person.id in variant.lengths:
        minutes = minutes_text(variant.lengths[person.id])
    else:
        lengths = set(variant.lengths.values()) or {variant.minutes}
        shortest, longest = min(lengths), max(lengths)
        span = {"shortest": shortest, "longest": longest}
        minutes = minutes_text(shortest) if shortest == longest else gettext("%(shortest)d–%(longest)d min") % span
    return f"{variant.name} · {minutes}" if variant.name else minutes


def _lengths(choice: Choice, url: str, currency: str) -> list[dict[str, Any]]:
    return [
        {
            "id": f"length-{variant.id}",
            "label": length_words(variant, choice.person),
            "note": price_words(variant, currency, choice.person),
            "href": url + choice_query(choice, variant=variant_value(choice, variant), **_keep(choice, variant)),
            "is_on": variant.id == choice.variant.id,
        }
        for variant in choice.service.variants
    ]


def _keep(choice: Choice, variant: VariantOffer) -> dict[str, str]:
    """Return the change to the choice that drops a staff member who does not perform that length, else no change."""
    return {} if choice.person is None or choice.person.id in variant.prices else {"with": ""}


def _anyone_words(staff_word: str) -> str:
    """Return "Any therapist". The business's own word keeps its capital, because it may be a German noun."""
    word = staff_word.lower() if staff_word == _USUAL_STAFF_WORD else staff_word
    return gettext("Any %(staff_word)s") % {"staff_word": word}


def _people(choice: Choice, url: str) -> list[dict[str, Any]]:
    """Return the chips of the staff; none when there is no choice."""
    people = [person for person in choice.service.people if person.id in choice.variant.prices]
    if not choice.service.needs_staff or len(people) < 2:
        return []
    return [
        {
            "id": f"with-{person.slug}",
            "label": person.name,
            "href": url + choice_query(choice, **{"with": person.slug}),
            "is_on": choice.person == person,
        }
        for person in people
    ]


def _about(choice: Choice) -> list[dict[str, str]]:
    """Return the descriptions of the service, and of the chosen or only staff member."""
    performing = [person for person in choice.service.people if person.id in choice.variant.prices]
    person = choice.person or (performing[0] if len(performing) == 1 else None)
    found = [{"title": gettext("About this service"), "text": choice.service.description, "languages": ""}]
    if person:
        title = gettext("About %(name)s") % {"name": person.name}
        languages = gettext("Speaks %(languages)s.") % {"languages": person.languages} if person.languages else ""
        found.append({"title": title, "text": person.bio, "languages": languages})
    return [each for each in found if each["text"] or each["languages"]]


def _place_chips(choice: Choice, url: str) -> list[dict[str, Any]]:
    if not choice.service.names_place or len(choice.places) < 2:
        return []
    everywhere = gettext("Both") if len(choice.places) == 2 else gettext("All")
    chips: list[tuple[str, Place | None]] = [(everywhere, None), *((place.name, place) for place in choice.places)]
    return [
        {
            "id": f"at-{place.slug}" if place else "at-all",
            "label": label,
            "href": url + choice_query(choice, at=place_value(choice, place)),
            "is_on": choice.place == place,
        }
        for label, place in chips
    ]


def _zone_words(choice: Choice, visitor_zone: ZoneInfo | None, now: datetime) -> str:
    zones = list(dict.fromkeys(place.zone for place in choice.shown_places))
    if len(zones) > 1:
        here = gettext("Each time is the local time of its place.")
        if not choice.service.names_place:
            here = gettext("Each time says whose clock it is on.")
        return " ".join(filter(None, (here, away_sentence(zones, visitor_zone, now))))
    return zone_sentence(choice.shown_places[0].zone, visitor_zone, now)


def _who(held: Held, choice: Choice | None) -> str:
    """Return text such as "70 min with Tomás in Kreuzberg · €85.00". It names the place if the page leaves it open."""
    length = minutes_text(held.minutes)
    says_place = choice is None or len(choice.places) > 1 or held.delivery != Delivery.LOCATION
    where = held_where(held.delivery, held.staff_name, held.place_name if says_place else "")
    return " · ".join((f"{length} {where}" if where else length, held.price))


def held_where(delivery: Delivery, name: str, place: str) -> str:
    """Return the staff member and place of a visit, to follow its length. ``name`` and ``place`` may be empty."""
    words = {
        Delivery.ONLINE: (gettext("with %(name)s, online"), gettext("online")),
        Delivery.PHONE: (gettext("with %(name)s, by phone"), gettext("by phone")),
        Delivery.CUSTOMER: (gettext("with %(name)s, at your address"), gettext("at your address")),
        Delivery.LOCATION: (gettext("with %(name)s in %(place)s"), gettext("in %(place)s")),
    }
    with_name, alone = words[delivery]
    if delivery == Delivery.LOCATION and not place:
        with_name, alone = gettext("with %(name)s"), ""
    return (with_name if name else alone) % {"name": name, "place": place}
