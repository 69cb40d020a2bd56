"""Holding a time: what is taken, what is copied, what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import override_settings

from bookings.enums import ActorKind, BookingStatus
from bookings.errors import (
    BookingPaused,
    ExtrasDoNotFit,
    HoldExpired,
    HoldOver,
    PartyTooLarge,
    ServiceNotOffered,
    SlotNotOffered,
    SlotTaken,
    TooManyHolds,
)
from bookings.models import Allocation, Booking, BookingEvent, BookingLine
from bookings.operations.extras import change_extras
from bookings.operations.hold import (
    expire_holds,
    extend_hold,
    release_hold,
    retake_hold,
)
from bookings.queries.bookings import booking_by_hold_token
from core.references import token_hash
from services.models import Service
from staff.models import Qualification
from tests.factories import (
    NOW,
    Studio,
    add_on,
    cancellation_policy,
    requirement,
    resource_type,
    room,
    staff_member,
    studio,
    time_off,
)
from tests.journeys import DESK, GUEST, KIOSK, booked, claims, confirm, hold, paid_studio

pytestmark = pytest.mark.django_db


# --- taking ----------------------------------------------------------------------------------------------------------


def test_hold_takes_the_time_and_copies_what_was_offered() -> None:
    place = studio(
        preparation="Eat lightly.",
        buffer_before_minutes=5,
        buffer_after_minutes=10,
        cancellation_policy=cancellation_policy((1440, "none", 0), (0, "percent", 5000)),
        translations={"de": {"name": "Tiefenmassage", "preparation": "Leicht essen."}},
    )
    kind = resource_type()
    cabin = room(place.location, kind)
    requirement(place.variant.service, kind)
    towel = add_on(place.variant.service, translations={"de": {"name": "Heißes Handtuch"}})

    held = hold(place, language="de", add_on_ids=[towel.pk, towel.pk], visitor_hash="v", address_hash="a")

    booking = Booking.objects.get()
    assert booking == held.booking
    assert booking.status == BookingStatus.HELD
    assert booking.hold_token_hash == token_hash(held.token)
    assert booking.hold_expires_at == NOW + timedelta(minutes=10)
    assert (booking.starts_at, booking.ends_at) == (place.at(10), place.at(11, 10))
    assert (booking.is_any_staff, booking.language, booking.currency) == (True, "de", "EUR")
    assert (booking.visitor_hash, booking.address_hash, booking.channel) == ("v", "a", "web")
    assert (booking.total_minor, booking.tax_minor, booking.prices_include_tax) == (8800, 1405, True)
    assert booking.terms["tiers"] == [[1440, "none", 0], [0, "percent", 5000]]
    line = BookingLine.objects.get()
    assert (line.service_name, line.preparation) == ("Tiefenmassage", "Leicht essen.")
    assert (line.variant, line.staff_member) == (place.variant, place.staff[0])
    assert (line.phases, line.buffer_before_minutes, line.buffer_after_minutes) == ([["work", 70]], 5, 10)
    assert line.requirements == [{"resource_type_id": kind.pk, "quantity": 1}]
    assert (line.price_minor, line.tax_basis_points) == (8000, 1900)
    copied = {"id": towel.pk, "name": "Heißes Handtuch", "price_minor": 800, "extra_minutes": 10}
    assert line.add_ons == [{**copied, "is_paid_at_visit": True}]
    low, high = place.minute(10) - 5, place.minute(11, 10) + 10
    assert claims() == sorted([(place.staff[0].resource_id, low, high), (cabin.pk, low, high)])
    event = BookingEvent.objects.get()
    assert (event.from_status, event.to_status, event.channel, event.at) == ("", "held", "web", NOW)


def test_hold_with_a_certain_person_uses_that_persons_price_and_minutes() -> None:
    place = studio(staff=2)
    Qualification.objects.filter(staff_member=place.staff[1]).update(price_minor=9500, work_minutes=75)

    held = hold(place, staff_member_id=place.staff[1].pk)

    assert held.booking.is_any_staff is False
    assert (held.booking.total_minor, held.booking.ends_at) == (9500, place.at(11, 15))
    assert held.booking.lines.get().staff_member == place.staff[1]


def test_hold_of_a_court_needs_nobody() -> None:
    place = studio(staff=0, needs_staff=False)
    kind = resource_type("Court")
    court = room(place.location, kind)
    requirement(place.variant.service, kind)

    held = hold(place)

    assert held.booking.lines.get().staff_member is None
    assert held.booking.is_any_staff is False
    assert claims() == [(court.pk, place.minute(10), place.minute(11))]
    with pytest.raises(SlotTaken):
        hold(place, 10, 30)


def test_hold_with_anyone_goes_through_all_people_and_then_is_taken() -> None:
    place = studio(staff=3)

    people = {hold(place).booking.lines.get().staff_member for _ in range(3)}

    assert people == set(place.staff)
    with pytest.raises(SlotTaken):
        hold(place)


def test_hold_with_anyone_among_many_people_ranks_first_and_locks_few() -> None:
    place = studio(staff=20)

    people = {hold(place).booking.lines.get().staff_member for _ in range(20)}

    assert len(people) == 20
    with pytest.raises(SlotTaken):
        hold(place)


def test_hold_of_a_taken_time_names_the_nearest_free_ones_and_writes_nothing() -> None:
    place = studio()
    hold(place, 10)

    with pytest.raises(SlotTaken) as taken:
        hold(place, 10, 30)

    assert taken.value.data["alternatives"] == [
        (place.location.pk, place.minute(11)),
        (place.location.pk, place.minute(11, 15)),
        (place.location.pk, place.minute(11, 30)),
    ]
    assert (Booking.objects.count(), BookingEvent.objects.count()) == (1, 1)


@pytest.mark.parametrize(
    ("hour", "minute", "rule"),
    [(10, 7, "grid"), (16, 30, "opening_hours"), (3, 0, "opening_hours")],
)
def test_hold_of_a_start_that_is_not_offered_says_which_rule(hour: int, minute: int, rule: str) -> None:
    place = studio()

    with pytest.raises(SlotNotOffered) as refused:
        hold(place, hour, minute)

    assert refused.value.data["rule"] == rule
    assert not Booking.objects.exists()


def test_hold_in_time_off_is_not_offered() -> None:
    place = studio()
    time_off(place.staff[0].resource, place.at(9), place.at(12))

    with pytest.raises(SlotNotOffered):
        hold(place, 10)

    assert hold(place, 12).booking.starts_at == place.at(12)


# --- expired holds of others -----------------------------------------------------------------------------------------


def test_hold_takes_the_time_of_an_expired_hold_without_a_sweeper() -> None:
    place = studio()
    first = hold(place).booking

    second = hold(place, now=NOW + timedelta(minutes=10)).booking

    first.refresh_from_db()
    assert first.status == BookingStatus.EXPIRED
    assert list(Allocation.objects.values_list("booking", flat=True)) == [second.pk]
    assert list(first.events.values_list("from_status", "to_status", "actor_kind")) == [
        ("", "held", "customer"),
        ("held", "expired", "system"),
    ]


def test_hold_a_second_before_the_end_is_still_blocked() -> None:
    place = studio()
    hold(place)

    with pytest.raises(SlotTaken):
        hold(place, now=NOW + timedelta(minutes=9, seconds=59))


# --- one visitor -----------------------------------------------------------------------------------------------------


def test_hold_switches_from_another_hold_in_one_step() -> None:
    place = studio()
    first = hold(place, 10, visitor_hash="v")

    second = hold(place, 10, 30, visitor_hash="v", replacing_token=first.token)

    first.booking.refresh_from_db()
    assert first.booking.status == BookingStatus.EXPIRED
    assert claims() == [(place.staff[0].resource_id, place.minute(10, 30), place.minute(11, 30))]
    assert second.booking.status == BookingStatus.HELD


def test_a_failed_switch_keeps_the_old_hold() -> None:
    place = studio()
    first = hold(place, 10, visitor_hash="v")
    hold(place, 12, visitor_hash="w")

    with pytest.raises(SlotTaken):
        hold(place, 12, visitor_hash="v", replacing_token=first.token)

    first.booking.refresh_from_db()
    assert first.booking.status == BookingStatus.HELD
    assert Allocation.objects.filter(booking=first.booking).exists()


def test_the_same_click_twice_is_one_hold_with_one_token() -> None:
    place = studio(staff=2)
    first = hold(place, visitor_hash="v")

    second = hold(place, visitor_hash="v", now=NOW + timedelta(minutes=2))

    assert second == first
    assert booking_by_hold_token(second.token) == first.booking
    assert second.booking.hold_expires_at == NOW + timedelta(minutes=10)
    assert (Booking.objects.count(), Allocation.objects.count()) == (1, 1)


def test_a_hold_taken_again_from_the_picker_keeps_its_extras() -> None:
    place = studio(staff=2)
    towel = add_on(place.variant.service)
    first = hold(place, visitor_hash="v", add_on_ids=[towel.pk])

    assert hold(place, visitor_hash="v") == first
    other = hold(place, visitor_hash="v", staff_member_id=place.staff[1].pk)
    assert other.booking != first.booking


def test_another_visitor_is_not_given_the_hold() -> None:
    place = studio(staff=2)

    first, second = hold(place, visitor_hash="v"), hold(place, visitor_hash="w")

    assert first.booking != second.booking
    assert first.token != second.token


@override_settings(HOLDS_PER_VISITOR=2)
def test_a_visitor_holds_only_so_many_times_at_once() -> None:
    place = studio(staff=4)
    hold(place, 9, visitor_hash="v")
    hold(place, 10, visitor_hash="v")

    with pytest.raises(TooManyHolds):
        hold(place, 11, visitor_hash="v")

    assert hold(place, 11, visitor_hash="w").booking
    assert hold(place, 11, visitor_hash="v", actor=KIOSK).booking
    later = NOW + timedelta(minutes=11)
    assert hold(place, 12, visitor_hash="v", now=later).booking


@override_settings(HOLDS_PER_VISITOR=2, HOLDS_PER_ADDRESS=3, STRIPE_SECRET_KEY="sk", STRIPE_PUBLISHABLE_KEY="pk")
def test_times_that_wait_for_a_payment_count_like_holds() -> None:
    place = paid_studio(staff=4)
    waiting = [booked(place, hour, visitor_hash="v", address_hash="a") for hour in (9, 10)]
    assert {each.status for each in waiting} == {BookingStatus.PENDING_PAYMENT}

    with pytest.raises(TooManyHolds):
        hold(place, 11, visitor_hash="v")

    hold(place, 11, visitor_hash="w", address_hash="a")
    with pytest.raises(TooManyHolds):
        hold(place, 12, visitor_hash="x", address_hash="a")
    assert hold(place, 12, visitor_hash="v", now=NOW + timedelta(minutes=11)).booking


@override_settings(STRIPE_SECRET_KEY="sk", STRIPE_PUBLISHABLE_KEY="pk")
def test_picking_another_time_does_not_give_back_the_one_that_waits_for_its_payment() -> None:
    place = paid_studio(staff=2)
    held = hold(place, visitor_hash="v")
    confirm(held.booking)

    hold(place, visitor_hash="v", replacing_token=held.token)

    held.booking.refresh_from_db()
    assert held.booking.status == BookingStatus.PENDING_PAYMENT


@override_settings(HOLDS_PER_ADDRESS=2)
def test_an_address_holds_only_so_many_times_at_once() -> None:
    place = studio(staff=4)
    hold(place, 9, visitor_hash="u", address_hash="a")
    hold(place, 10, visitor_hash="v", address_hash="a")

    with pytest.raises(TooManyHolds):
        hold(place, 11, visitor_hash="w", address_hash="a")

    assert hold(place, 11, visitor_hash="w", address_hash="b").booking


# --- who may ---------------------------------------------------------------------------------------------------------


def test_a_paused_business_takes_no_holds_online_but_at_the_desk() -> None:
    place = studio()
    place.business.is_booking_paused, place.business.paused_message = True, "Back on Monday."
    place.business.save()

    with pytest.raises(BookingPaused) as paused:
        hold(place)

    assert paused.value.data["message"] == "Back on Monday."
    assert hold(place, actor=DESK).booking


@pytest.mark.parametrize(
    ("visibility", "desk_may"), [(Service.Visibility.HIDDEN, True), (Service.Visibility.ARCHIVED, False)]
)
def test_a_service_out_of_sight_cannot_be_held_online(visibility: str, desk_may: bool) -> None:
    place = studio(visibility=visibility)

    with pytest.raises(ServiceNotOffered):
        hold(place)
    if desk_may:
        assert hold(place, actor=DESK).booking
    else:
        with pytest.raises(ServiceNotOffered):
            hold(place, actor=DESK)


def test_what_is_switched_off_cannot_be_held() -> None:
    place = studio()
    place.variant.is_active = False
    place.variant.save()
    with pytest.raises(ServiceNotOffered):
        hold(place)
    place.variant.is_active = True
    place.variant.save()

    place.location.is_active = False
    place.location.save()
    with pytest.raises(ServiceNotOffered):
        hold(place)
    place.location.is_active = True
    place.location.save()

    with pytest.raises(ServiceNotOffered):
        hold(place, variant_id=place.variant.pk + 1)
    with pytest.raises(ServiceNotOffered):
        hold(place, add_on_ids=[4711])

    place.staff[0].is_active = False
    place.staff[0].save()
    with pytest.raises(SlotNotOffered):
        hold(place, staff_member_id=place.staff[0].pk)
    assert not Booking.objects.exists()


def test_an_extra_of_another_service_cannot_be_added() -> None:
    place = studio()
    stranger = studio_service_extra(place)

    with pytest.raises(ServiceNotOffered):
        hold(place, add_on_ids=[stranger])


def studio_service_extra(place: Studio) -> int:
    other = Service.objects.create(category=place.variant.service.category, name="Other", slug="other")
    return int(add_on(other).pk)


@pytest.mark.parametrize("size", [0, 3])
def test_a_party_must_fit(size: int) -> None:
    place = studio(max_party_size=2)

    with pytest.raises(PartyTooLarge) as refused:
        hold(place, party_size=size)

    assert refused.value.data["maximum"] == 2
    assert hold(place, party_size=2).booking.party_size == 2


# --- daily limits ----------------------------------------------------------------------------------------------------


def test_daily_limits_of_business_service_and_person_hold() -> None:
    place = studio(staff=2, daily_limit=3)
    hold(place, 9)
    hold(place, 11)
    place.business.daily_limit = 2
    place.business.save()

    with pytest.raises(SlotNotOffered) as refused:
        hold(place, 13)
    assert refused.value.data["rule"] == "business_limit"

    place.business.daily_limit = None
    place.business.save()
    hold(place, 13)
    with pytest.raises(SlotNotOffered) as refused:
        hold(place, 15)
    assert refused.value.data["rule"] == "service_limit"
    assert hold(place, start_minute=place.minute(9, days=2)).booking

    Service.objects.update(daily_limit=None)
    place.staff[0].daily_limit = 0
    place.staff[0].save()
    with pytest.raises(SlotNotOffered) as refused:
        hold(place, 15, staff_member_id=place.staff[0].pk)
    assert refused.value.data["rule"] == "staff_limit"


# --- changing a hold -------------------------------------------------------------------------------------------------


def test_extras_lengthen_the_hold_and_its_price_and_can_be_taken_out_again() -> None:
    place = studio(buffer_after_minutes=10)
    towel = add_on(place.variant.service)
    booking = hold(place).booking

    changed = change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)

    assert (changed.total_minor, changed.ends_at) == (8800, place.at(11, 10))
    assert claims() == [(place.staff[0].resource_id, place.minute(10), place.minute(11, 20))]
    towel.is_active = False
    towel.save()
    change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)

    changed = change_extras(booking_id=booking.pk, add_on_ids=[], party_size=1, actor=GUEST, now=NOW)

    booking.refresh_from_db()
    line = booking.lines.get()
    assert (booking.total_minor, booking.tax_minor, booking.ends_at) == (8000, 1277, place.at(11))
    assert (line.phases, line.add_ons, line.ends_at) == ([["work", 60]], [], place.at(11))
    assert claims() == [(place.staff[0].resource_id, place.minute(10), place.minute(11, 10))]
    assert list(booking.events.values_list("kind", flat=True)) == ["status", "extras", "extras"]
    with pytest.raises(ServiceNotOffered):
        change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)


def test_extras_that_run_into_the_next_booking_are_refused_and_change_nothing() -> None:
    place = studio()
    towel = add_on(place.variant.service)
    booking = hold(place, 10).booking
    hold(place, 11)

    with pytest.raises(ExtrasDoNotFit):
        change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)

    booking.refresh_from_db()
    assert (booking.total_minor, booking.ends_at) == (8000, place.at(11))
    assert (place.staff[0].resource_id, place.minute(10), place.minute(11)) in claims()


def test_extras_of_a_visit_with_anyone_may_change_the_person() -> None:
    place = studio(staff=2)
    towel = add_on(place.variant.service)
    booking = hold(place, 10).booking
    first = booking.lines.get().staff_member
    assert first
    hold(place, 11, staff_member_id=first.pk)

    change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)

    assert booking.lines.get().staff_member in set(place.staff) - {first}


def test_extras_keep_the_person_who_is_free() -> None:
    place = studio(staff=3)
    towel = add_on(place.variant.service)
    booking = hold(place, 10).booking
    person = booking.lines.get().staff_member
    assert person
    hold(place, 13, staff_member_id=person.pk)

    change_extras(booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=NOW)

    assert booking.lines.get().staff_member == person


def test_extras_do_not_fail_because_the_notice_ran_out_meanwhile() -> None:
    place = studio()
    place.business.booking_policy.lead_minutes = 60
    place.business.booking_policy.save()
    towel = add_on(place.variant.service)
    picked_at = place.at(9)
    booking = hold(place, 10, now=picked_at).booking

    changed = change_extras(
        booking_id=booking.pk, add_on_ids=[towel.pk], party_size=1, actor=GUEST, now=picked_at + timedelta(minutes=5)
    )

    assert changed.total_minor == 8800


def test_a_hold_is_extended_once() -> None:
    booking = hold(studio()).booking

    extend_hold(booking_id=booking.pk, actor=GUEST, now=NOW)
    extended = extend_hold(booking_id=booking.pk, actor=GUEST, now=NOW + timedelta(minutes=1))

    assert extended.hold_expires_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize("change", ["extras", "extend"])
def test_a_hold_that_is_over_cannot_be_changed(change: str) -> None:
    place = studio()
    booking = hold(place).booking

    def attempt(minutes: int) -> object:
        now = NOW + timedelta(minutes=minutes)
        if change == "extend":
            return extend_hold(booking_id=booking.pk, actor=GUEST, now=now)
        return change_extras(booking_id=booking.pk, add_on_ids=[], party_size=1, actor=GUEST, now=now)

    with pytest.raises(HoldExpired):
        attempt(10)
    confirm(booking)
    with pytest.raises(HoldOver):
        attempt(0)


# --- giving back, running out, taking again --------------------------------------------------------------------------


def test_release_gives_the_time_back_and_may_be_repeated() -> None:
    place = studio()
    booking = hold(place).booking

    release_hold(booking_id=booking.pk, actor=GUEST, now=NOW)
    release_hold(booking_id=booking.pk, actor=GUEST, now=NOW)

    booking.refresh_from_db()
    assert booking.status == BookingStatus.EXPIRED
    assert claims() == []
    assert booking.events.count() == 2
    assert hold(place).booking


def test_release_of_a_booking_is_refused() -> None:
    booking = hold(studio()).booking
    confirm(booking)

    with pytest.raises(HoldOver):
        release_hold(booking_id=booking.pk, actor=GUEST, now=NOW)

    assert len(claims()) == 1


def test_expire_holds_ends_those_whose_time_is_up_and_no_others() -> None:
    place = studio(staff=3)
    old = [hold(place).booking, hold(place).booking]
    young = hold(place, now=NOW + timedelta(minutes=5)).booking

    ended = expire_holds(now=NOW + timedelta(minutes=10), limit=1), expire_holds(now=NOW + timedelta(minutes=10))

    assert ended == (1, 1)
    assert {Booking.objects.get(pk=each.pk).status for each in old} == {BookingStatus.EXPIRED}
    young.refresh_from_db()
    assert young.status == BookingStatus.HELD
    assert list(Allocation.objects.values_list("booking", flat=True)) == [young.pk]


@pytest.mark.parametrize("is_swept", [True, False])
def test_retake_holds_the_same_wish_again_with_what_was_typed(is_swept: bool) -> None:
    place = studio(max_party_size=2)
    towel = add_on(place.variant.service)
    old = hold(place, add_on_ids=[towel.pk], party_size=2, visitor_hash="v").booking
    Booking.objects.filter(pk=old.pk).update(contact_name="Jana", contact_email="jana@example.com")
    later = NOW + timedelta(minutes=20)
    if is_swept:
        expire_holds(now=later)

    held = retake_hold(booking_id=old.pk, actor=GUEST, now=later)

    assert held.booking.pk != old.pk
    assert (held.booking.starts_at, held.booking.ends_at) == (old.starts_at, place.at(11, 10))
    assert (held.booking.party_size, held.booking.visitor_hash, held.booking.is_any_staff) == (2, "v", True)
    assert (held.booking.contact_name, held.booking.contact_email) == ("Jana", "jana@example.com")
    old.refresh_from_db()
    assert old.status == BookingStatus.EXPIRED
    assert booking_by_hold_token(held.token) == held.booking


def test_retake_of_a_time_that_went_to_somebody_else_names_others() -> None:
    place = studio()
    old = hold(place).booking
    later = NOW + timedelta(minutes=20)
    hold(place, now=later)

    with pytest.raises(SlotTaken) as taken:
        retake_hold(booking_id=old.pk, actor=GUEST, now=later)

    assert len(taken.value.data["alternatives"]) == 3


def test_retake_of_a_booking_is_refused() -> None:
    booking = hold(studio()).booking
    confirm(booking)

    with pytest.raises(HoldOver):
        retake_hold(booking_id=booking.pk, actor=GUEST, now=NOW)


def test_hold_without_visitor_is_possible() -> None:
    place = studio(staff=2)

    first, second = hold(place), hold(place)

    assert {first.booking.status, second.booking.status} == {BookingStatus.HELD}


@pytest.mark.parametrize(
    ("kind", "is_business"), [(ActorKind.CUSTOMER, False), (ActorKind.STAFF, True), (ActorKind.SYSTEM, True)]
)
def test_everybody_but_a_customer_acts_for_the_business(kind: ActorKind, is_business: bool) -> None:
    assert replace(DESK, kind=kind).is_business is is_business


def test_a_person_who_joined_late_can_be_chosen() -> None:
    place = studio()
    hold(place)
    newcomer = staff_member(place.variant, at=place.location)

    assert hold(place).booking.lines.get().staff_member == newcomer
