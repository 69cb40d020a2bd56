"""The one statement behind a hold reads the same rules as the named queries of the catalogue."""

import pytest

from bookings.queries.offers import offer_for
from bookings.rules.terms import terms_of
from services.models import Business, Service
from services.queries import cancellation_policy_for
from tests.factories import add_on, booking_policy, cancellation_policy, studio

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("owners", [(), ("business",), ("business", "category"), ("business", "category", "service")])
def test_the_policies_of_an_offer_are_those_of_the_service(owners: tuple[str, ...]) -> None:
    place = studio()
    service = place.variant.service
    places = {"business": place.business, "category": service.category, "service": service}
    for number, name in enumerate(owners, start=1):
        places[name].cancellation_policy = cancellation_policy(
            (1440 * number, "none", 0), (0, "percent", 1000 * number), free_move_count=number, over_limit="fee"
        )
        places[name].save()
    if "service" in owners:
        service.booking_policy = booking_policy(hold_minutes=7)
        service.save()

    offer = offer_for(variant_id=place.variant.pk, location_id=place.location.pk, add_on_ids=(), language="en")

    assert offer
    assert offer.terms == terms_of(cancellation_policy_for(service))
    assert offer.hold_minutes == (service.booking_policy or place.business.booking_policy).hold_minutes


def test_an_offer_knows_what_is_asked_when_booking() -> None:
    place = studio()
    policy = cancellation_policy(
        (0, "all", 0), payment_mode="card", no_show_fee_kind="percent", no_show_fee_value=5000, waiver_hours=12
    )
    Business.objects.update(cancellation_policy=policy)
    service = place.variant.service
    Service.objects.filter(pk=service.pk).update(
        payment_mode="deposit", deposit_kind="fixed", deposit_value=900, needs_answer=True
    )
    extra = add_on(service, is_paid_at_visit=False)

    offer = offer_for(variant_id=place.variant.pk, location_id=place.location.pk, add_on_ids=[extra.pk], language="en")

    assert offer
    assert offer.terms == terms_of(cancellation_policy_for(service))
    assert (offer.terms.payment_mode, offer.terms.deposit_value, offer.terms.waiver_hours) == ("deposit", 900, 12)
    assert offer.needs_answer
    assert [each.is_paid_at_visit for each in offer.extras] == [False]


def test_an_offer_speaks_the_asked_language_or_the_business_s_own() -> None:
    place = studio(name="Massage", translations={"de": {"name": "Massage auf Deutsch"}, "pt-br": {"name": "Massagem"}})

    def name(language: str) -> str:
        offer = offer_for(variant_id=place.variant.pk, location_id=place.location.pk, add_on_ids=(), language=language)
        assert offer
        return offer.service_name

    assert [name("de"), name("de-at"), name("pt-br"), name("ko")] == [
        "Massage auf Deutsch",
        "Massage auf Deutsch",
        "Massagem",
        "Massage",
    ]


def test_there_is_no_offer_of_what_does_not_exist() -> None:
    place = studio()

    assert offer_for(variant_id=0, location_id=place.location.pk, add_on_ids=(), language="en") is None
    assert offer_for(variant_id=place.variant.pk, location_id=0, add_on_ids=(), language="en") is None
