"""Named reads of the desk. Each takes the rights of the reader and runs a fixed number of queries."""

from collections.abc import Iterable, Sequence
from datetime import date
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet

from accounts.contact.phones import clean_phone, phone_region
from accounts.contact.same_phones import PHONE_END, phone_end_hash, phone_hash
from accounts.customer_search import has_words
from accounts.models import Customer
from bookings.enums import BookingStatus
from bookings.models import CONTACT_TEXT, Booking, BookingEvent, BookingLine
from bookings.operations.trust import customer_to_trust
from bookings.refs import subject_ref
from core.references import parsed_reference
from dashboard.permissions import Act, Rights, bookings_visible_to, location_ids_with
from payments import queries as money
from payments.enums import Method, RefundStatus
from payments.models import Refund
from payments.queries import Balance
from services.models import Location
from services.queries import the_business
from staff.hours import local_day

SHORTEST_SEARCH = 2
SHORTEST_NUMBER = 6
LONGEST_ID = 18
# So many numbers with the same last four digits are compared in full.
MOST_ALIKE = 200


def day_bookings(rights: Rights, places: Iterable[Location], on: date) -> list[Booking]:
    """Return the bookings that begin on a local day of the places, in the order of time. Three queries."""
    windows = Q(pk__in=[])
    for place in places:
        begins, ends = local_day(on, ZoneInfo(place.time_zone))
        windows |= Q(location=place, starts_at__gte=begins, starts_at__lt=ends)
    listed = bookings_visible_to(rights).filter(windows).exclude(status=BookingStatus.EXPIRED)
    return list(with_lines(listed).order_by("starts_at", "pk"))


def has_contact(typed: str) -> Q:
    """Match bookings by reference, or by name, e-mail address and phone number as customers are searched. Five queries
    at most.
    """
    wanted = has_words(typed, CONTACT_TEXT) | has_phone(typed)
    reference = parsed_reference(typed)
    return wanted | Q(reference=reference) if reference else wanted


def has_phone(words: str) -> Q:
    """Match rows (bookings or customers) by a phone number, however it is typed, or by at least its last four digits.
    Four queries at most.
    """
    if any(character.isalpha() for character in words):
        return Q(pk__in=[])
    typed = "".join(character for character in words if character.isdecimal())
    digits = typed if len(typed) == PHONE_END else typed.lstrip("0")
    if len(digits) == PHONE_END:
        return Q(phone_end_hash=phone_end_hash(digits))
    hashes = _hashes_ending_with(digits)
    if number := phone_number_in(words):
        hashes.add(phone_hash(number))
    return Q(phone_hash__in=sorted(hashes)) if hashes else Q(pk__in=[])


def _hashes_ending_with(digits: str) -> set[str]:
    """Return the pseudonyms of known numbers that end with more than four typed digits: with or without the zero or the
    country code, whatever the country. Two queries, of rows that share the last four digits.
    """
    if len(digits) <= PHONE_END:
        return set()
    known: set[tuple[str, str]] = set()
    for model, column in ((Customer, "phone"), (Booking, "contact_phone")):
        alike = model.objects.filter(phone_end_hash=phone_end_hash(digits)).order_by("phone_hash")
        known.update(alike.distinct("phone_hash").values_list("phone_hash", column)[:MOST_ALIKE])
    return {pseudonym for pseudonym, number in known if number.endswith(digits)}


def own_phone_region() -> str | None:
    """Return the country of phone numbers that have no country code, taken from the business. Two queries."""
    places = Location.objects.order_by("pk").values_list("phone", "time_zone")
    zone = next((zone for _, zone in places), "")
    return phone_region(the_business().phone, *(p for p, _ in places), time_zone=zone)


def has_several_zones() -> bool:
    """Return whether the places of the business have different time zones, so that a time needs its zone. One query."""
    return Location.objects.order_by().values("time_zone").distinct().count() > 1


def phone_number_in(words: str) -> str:
    """Parse a phone number (a number without a country code is in ``own_phone_region``); empty when it is not one.

    Two queries at most.
    """
    if any(character.isalpha() for character in words) or sum(map(str.isdecimal, words)) < SHORTEST_NUMBER:
        return ""
    try:
        return clean_phone(words, region=own_phone_region())
    except ValidationError:
        return ""


def balances_of(bookings: Sequence[Booking]) -> dict[int, Balance]:
    """Return the balances of many bookings by booking id. One query."""
    found = money.balances([subject_ref(booking) for booking in bookings])
    return {booking.pk: found[subject_ref(booking)] for booking in bookings}


def booking_by_reference(rights: Rights, reference: str) -> Booking | None:
    """Return a booking that the reader may see, with its lines, people, place and history. Three queries.

    ``reference`` comes straight from an address and may hold anything.
    """
    if parsed_reference(reference) != reference:
        return None
    found = bookings_visible_to(rights).filter(reference=reference).select_related("location", "customer", "bill")
    return _with_history(found).first()


def linked_hold(rights: Rights, reference: str) -> Booking | None:
    """Return a time that is held until its customer uses the link, at a place where the reader may book. Three queries.

    It has what ``booking_by_reference`` has, and its link.
    """
    if parsed_reference(reference) != reference:
        return None
    places = location_ids_with(rights, Act.BOOK)
    held = Booking.objects.filter(status=BookingStatus.HELD, hold_link__isnull=False, reference=reference)
    if places is not None:
        held = held.filter(location_id__in=places)
    return _with_history(held.select_related("location", "customer", "bill", "hold_link")).first()


def booking_for_samples(rights: Rights) -> Booking | None:
    """Return the latest booking that can fill a sample message, with lines, people, services, place. Two queries."""
    lines = BookingLine.objects.select_related("staff_member", "variant__service")
    agreed = bookings_visible_to(rights).filter(confirmed_at__isnull=False, lines__staff_member__isnull=False)
    with_everything = agreed.select_related("location").prefetch_related(Prefetch("lines", lines))
    return with_everything.order_by("-confirmed_at", "-pk").first()


def _with_history(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    lines = BookingLine.objects.select_related("staff_member__resource", "variant__service")
    events = BookingEvent.objects.order_by("id")
    return bookings.prefetch_related(Prefetch("lines", lines), Prefetch("events", events))


def with_lines(bookings: QuerySet[Booking]) -> QuerySet[Booking]:
    """Load bookings with their place, lines and staff members. One more query."""
    lines = BookingLine.objects.select_related("staff_member")
    return bookings.select_related("location").prefetch_related(Prefetch("lines", lines))


def refund_to_hand_back(booking: Booking, typed: str) -> Refund | None:
    """Return a refund that staff have to hand over: one of money taken at the desk, or one that the bank refused and
    that was not settled in another way since.
    """
    if not typed.isdecimal() or len(typed) > LONGEST_ID:
        return None
    found = Refund.objects.select_related("payment").filter(pk=typed, payment__subject_ref=subject_ref(booking)).first()
    if found is None or (found.status, found.method == Method.STRIPE) == (RefundStatus.QUEUED, True):
        return None
    if found.status == RefundStatus.FAILED:
        is_settled = Refund.objects.filter(request_key=f"instead-of-{found.pk}").exists()
        return None if is_settled else found
    return found if found.status == RefundStatus.QUEUED else None


def customer_of(booking: Booking) -> Customer | None:
    """Return the customer of a booking, else the one whose e-mail address the booking has."""
    return customer_to_trust(booking)
