"""Proposals of catalogue changes: nothing changes before an owner approves, and an approval counts once."""

from datetime import timedelta

import pytest

from bookings.errors import (
    BookingsOutside,
    NothingProposed,
    ProposalDecided,
    ProposalOutdated,
    ProposalUnfit,
)
from bookings.operations.proposals import propose_change, reject_change, withdraw_change
from bookings.queries.outside_hours import left_outside_hours
from notifications.models import Notification
from services.enums import Decision
from services.models import OpeningHours, ProposedChange, Service
from services.proposed_values import variant_key
from staff.enums import Role
from staff.models import Qualification
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.proposals import (
    actor_of,
    approve,
    propose,
    propose_new,
    propose_price,
    stamps_of,
    values_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio(db: None) -> Studio:
    return factories.studio()


def price(studio: Studio) -> int:
    studio.variant.refresh_from_db()
    return studio.variant.price_minor


# --- a service --------------------------------------------------------------------------------------------------------


def test_a_price_changes_when_an_owner_approves_and_not_before(studio: Studio) -> None:
    manager, owner = factories.desk_user(Role.MANAGER, name="Jonas"), factories.desk_user(Role.OWNER, name="Olivia")

    proposal = propose_price(studio, 9000, manager)
    assert price(studio) == 8000
    approve(proposal, owner, now=NOW + timedelta(hours=1))

    assert price(studio) == 9000
    proposal.refresh_from_db()
    key = variant_key(studio.variant.pk, "price_minor")
    assert (proposal.before, proposal.after, proposal.replaced) == ({key: 8000}, {key: 9000}, {key: 8000})
    assert (proposal.proposed_by, proposal.proposed_by_name, proposal.proposed_at) == (manager, "Jonas", NOW)
    assert (proposal.decision, proposal.decided_by, proposal.decided_by_name) == (Decision.APPROVED, owner, "Olivia")
    assert proposal.decided_at == NOW + timedelta(hours=1)


def test_only_what_differs_is_proposed(studio: Studio) -> None:
    service = studio.variant.service

    proposal = propose(service, name="Deep massage", buffer_after_minutes=15, description="")

    assert proposal.after == {"name": "Deep massage", "buffer_after_minutes": 15}
    assert proposal.subject_name == "Deep tissue massage"
    approve(proposal)
    service.refresh_from_db()
    assert (service.name, service.buffer_after_minutes, service.slug) == ("Deep massage", 15, service.slug)


def test_bookings_keep_what_was_agreed(studio: Studio) -> None:
    booking = journeys.booked(studio, 10)
    strict = factories.cancellation_policy((0, "percent", 5000), name="Strict")
    line = booking.lines.get()
    agreed = (booking.total_minor, booking.terms, line.price_minor, line.starts_at, line.ends_at)
    variant = f"variant__{studio.variant.pk}"
    changes = {f"{variant}__price_minor": 9900, f"{variant}__work_minutes": 90}

    approve(propose(studio.variant.service, cancellation_policy=strict.pk, buffer_after_minutes=30, **changes))

    booking.refresh_from_db()
    line.refresh_from_db()
    assert (booking.total_minor, booking.terms, line.price_minor, line.starts_at, line.ends_at) == agreed
    later = journeys.booked(studio, 14)
    assert (later.total_minor, later.terms == booking.terms) == (9900, False)


def test_a_rejected_or_withdrawn_proposal_changes_nothing(studio: Studio) -> None:
    manager, owner = factories.desk_user(Role.MANAGER), factories.desk_user(Role.OWNER)
    first, second = propose_price(studio, 9000, manager), propose_price(studio, 9500, manager)

    reject_change(proposal_id=first.pk, reason="Too much", actor=actor_of(owner), now=NOW)
    withdraw_change(proposal_id=second.pk, actor=actor_of(manager), now=NOW)

    assert price(studio) == 8000
    first.refresh_from_db()
    assert (first.decision, first.reason, first.replaced) == (Decision.REJECTED, "Too much", None)
    for proposal in (first, second):
        with pytest.raises(ProposalDecided):
            approve(proposal)
        with pytest.raises(ProposalDecided):
            reject_change(proposal_id=proposal.pk, reason="No", actor=actor_of(owner), now=NOW)
        with pytest.raises(ProposalDecided):
            withdraw_change(proposal_id=proposal.pk, actor=actor_of(manager), now=NOW)
    assert price(studio) == 8000


def test_approving_one_of_two_makes_the_other_stale_until_the_owner_agrees_again(studio: Studio) -> None:
    first, second = propose_price(studio, 9000), propose_price(studio, 9500)
    approve(first)

    with pytest.raises(ProposalOutdated):
        approve(second)
    assert price(studio) == 9000
    approve(second, accepts_news=True)

    assert price(studio) == 9500
    second.refresh_from_db()
    assert list((second.replaced or {}).values()) == [9000]


def test_two_proposals_about_different_values_do_not_touch(studio: Studio) -> None:
    first, second = propose_price(studio, 9000), propose(studio.variant.service, name="Deep massage")

    approve(first)
    approve(second)

    assert (price(studio), Service.objects.get().name) == (9000, "Deep massage")


def test_what_changes_after_the_page_was_opened_is_not_approved_unseen(studio: Studio) -> None:
    proposal = propose_price(studio, 9000)
    with pytest.raises(ProposalOutdated):
        approve(proposal, seen="what the page showed before", accepts_news=True)

    assert price(studio) == 8000


def test_a_form_that_is_older_than_the_catalogue_proposes_nothing(studio: Studio) -> None:
    service, key = studio.variant.service, variant_key(studio.variant.pk, "price_minor")
    values, seen = {**values_of(service), "name": "Deep massage"}, stamps_of(service)
    approve(propose_price(studio, 9000))
    manager = actor_of(factories.desk_user(Role.MANAGER))

    # The author left the price alone: it is no part of the proposal, though the form says 80.00.
    made = propose_change(subject=service, values=values, seen=seen, note="", actor=manager, now=NOW)
    with pytest.raises(ProposalOutdated) as refused:
        propose_change(subject=service, values={**values, key: 8500}, seen=seen, note="", actor=manager, now=NOW)

    assert made.after == {"name": "Deep massage"}
    assert refused.value.data["keys"] == [key]


def test_nothing_different_is_no_proposal(studio: Studio) -> None:
    with pytest.raises(NothingProposed):
        propose(studio.variant.service)

    assert not ProposedChange.objects.exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"work_minutes": 0}, "5"),
        ({"work_minutes": 721}, "720"),
        ({"price_minor": -1}, "0"),
        ({"buffer_before_minutes": 1441}, "240"),
        ({"name": ""}, "blank"),
        ({"name": "x" * 81}, "80"),
        ({"cancellation_policy": 999_999}, "999999"),
    ],
)
def test_values_that_the_catalogue_refuses_are_not_proposed(
    studio: Studio, changes: dict[str, object], said: str
) -> None:
    of_variant = {"work_minutes", "price_minor"}
    keyed = {
        f"variant__{studio.variant.pk}__{key}" if key in of_variant else key: each for key, each in changes.items()
    }

    with pytest.raises(ProposalUnfit) as refused:
        propose(studio.variant.service, **keyed)

    assert said in str(refused.value)
    assert not ProposedChange.objects.exists()


def test_a_service_that_asks_for_a_deposit_keeps_rules_that_name_one(studio: Studio) -> None:
    service = studio.variant.service
    with_deposit = factories.cancellation_policy(deposit_value=2000)
    without = factories.cancellation_policy(name="Loose")
    Service.objects.update(payment_mode="deposit", cancellation_policy=with_deposit)
    service.refresh_from_db()

    with pytest.raises(ProposalUnfit, match="deposit"):
        propose(service, cancellation_policy=without.pk)


def test_a_service_that_is_gone_cannot_change(studio: Studio) -> None:
    archived, of_length = propose(studio.variant.service, name="Deep massage"), propose_price(studio, 9000)
    studio.variant.is_active = False
    studio.variant.save()
    with pytest.raises(ProposalUnfit, match="no longer offered"):
        approve(of_length, accepts_news=True)

    Service.objects.update(visibility="archived")
    with pytest.raises(ProposalUnfit, match="archived"):
        approve(archived)
    Service.objects.all().delete()
    with pytest.raises(ProposalUnfit, match="deleted"):
        approve(archived)

    archived.refresh_from_db()
    assert (archived.is_waiting, archived.subject_name, archived.service) == (True, "Deep tissue massage", None)


def test_a_price_in_another_currency_is_not_approved(studio: Studio) -> None:
    proposal = propose_price(studio, 9000)
    studio.business.currency = "JPY"
    studio.business.save()

    with pytest.raises(ProposalUnfit, match="currency"):
        approve(proposal)
    assert price(studio) == 8000


# --- opening hours ----------------------------------------------------------------------------------------------------


def week(studio: Studio) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for row in OpeningHours.objects.filter(location=studio.location):
        found.setdefault(row.weekday, []).append((row.start_minute, row.end_minute))
    return found


def test_opening_hours_change_on_approval_and_only_on_the_proposed_days(studio: Studio) -> None:
    proposal = propose(studio.location, day__0=[[540, 780], [840, 1200]], day__6=[])
    assert set(week(studio)) == {0, 1, 2, 3, 4, 5, 6}

    approve(proposal)

    after = week(studio)
    assert after[0] == [(540, 780), (840, 1200)]
    assert after[1] == [(540, 1020)]
    assert 6 not in after


def test_bookings_outside_new_hours_are_shown_before_anything_is_saved(studio: Studio) -> None:
    booking = journeys.booked(studio, 10)  # a Tuesday
    proposal = propose(studio.location, day__1=[[840, 1020]])

    with pytest.raises(BookingsOutside) as refused:
        approve(proposal)
    assert refused.value.data["booking_ids"] == [booking.pk]
    assert week(studio)[1] == [(540, 1020)]
    second = journeys.booked(studio, 11, minute=30)
    with pytest.raises(BookingsOutside):
        approve(proposal, accepted_bookings=[booking.pk])
    assert not left_outside_hours(NOW).exists()
    approve(proposal, accepted_bookings=[booking.pk, second.pk])
    # The desk decides about them.
    assert set(left_outside_hours(NOW)) == {booking, second}

    assert week(studio)[1] == [(840, 1020)]
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_hours_of_two_proposals_that_overlap_at_night_are_refused(studio: Studio) -> None:
    late, early = propose(studio.location, day__4=[[1200, 1560]]), propose(studio.location, day__5=[[60, 600]])
    approve(late)

    with pytest.raises(ProposalUnfit, match="Friday and Saturday overlap"):
        approve(early)
    with pytest.raises(ProposalUnfit, match="overlap"):
        propose(studio.location, day__5=[[60, 600]])


def test_a_location_that_is_switched_off_keeps_its_hours(studio: Studio) -> None:
    proposal = propose(studio.location, day__6=[])
    studio.location.is_active = False
    studio.location.save()

    with pytest.raises(ProposalUnfit, match="switched off"):
        approve(proposal)


# --- a new service ----------------------------------------------------------------------------------------------------


def test_a_new_service_can_be_booked_once_it_is_approved(studio: Studio) -> None:
    kind = factories.resource_type()
    factories.room(studio.location, kind)
    proposal = propose_new(studio, resource_types=[kind.pk])
    assert Service.objects.count() == 1

    approve(proposal)

    made = Service.objects.get(slug="foot-massage")
    proposal.refresh_from_db()
    assert proposal.service == made
    assert list(made.variants.values_list("work_minutes", "price_minor")) == [(30, 4000), (60, 7000)]
    assert (made.buffer_after_minutes, made.tax_basis_points, made.visibility) == (10, 1900, "public")
    assert list(made.requirements.values_list("resource_type", "quantity")) == [(kind.pk, 1)]
    assert Qualification.objects.filter(variant__service=made).count() == 2
    booking = journeys.booked(studio, 12, variant_id=made.variants.all()[0].pk)
    assert booking.total_minor == 4000


def test_two_new_services_of_one_name_get_addresses_of_their_own(studio: Studio) -> None:
    approve(propose_new(studio))
    approve(propose_new(studio))
    approve(propose_new(studio, name="足裏マッサージ"))

    slugs = set(Service.objects.exclude(pk=studio.variant.service_id).values_list("slug", flat=True))
    assert slugs == {"foot-massage", "foot-massage-2", "service"}


def test_a_new_service_whose_therapist_left_is_not_made(studio: Studio) -> None:
    proposal = propose_new(studio)
    person = studio.staff[0]
    person.is_active = False
    person.save()

    with pytest.raises(ProposalUnfit) as refused:
        approve(proposal)

    assert str(refused.value).startswith(f"{person.name} is no longer there.")
    assert Service.objects.count() == 1


def test_a_new_service_has_a_length_and_a_price(studio: Studio) -> None:
    with pytest.raises(ProposalUnfit):
        propose_new(studio, lengths=[[0, 4000]])
    with pytest.raises(ProposalUnfit):
        propose_new(studio, name="")


# --- mails ------------------------------------------------------------------------------------------------------------


def mails() -> list[tuple[str, str]]:
    return list(Notification.objects.order_by("pk").values_list("kind", "address"))


def test_owners_hear_of_a_proposal_and_its_author_of_the_decision(studio: Studio) -> None:
    owner, manager = factories.desk_user(Role.OWNER), factories.desk_user(Role.MANAGER)
    factories.desk_user(Role.FRONT_DESK)

    proposal = propose_price(studio, 9000, manager)
    assert mails() == [("change_proposed", owner.email)]
    approve(proposal, owner)

    assert mails() == [("change_proposed", owner.email), ("change_decided", manager.email)]


def test_nobody_hears_of_what_they_did_themselves(studio: Studio) -> None:
    owner, manager = factories.desk_user(Role.OWNER), factories.desk_user(Role.MANAGER)

    approve(propose_price(studio, 9000, owner), owner)
    withdrawn = propose_price(studio, 9500, manager)
    withdraw_change(proposal_id=withdrawn.pk, actor=actor_of(manager), now=NOW)

    assert mails() == [("change_proposed", owner.email)]
