"""Owners decide about one proposal, or about two of one value, at the same moment: one decision counts."""

from collections import Counter
from functools import partial
from typing import Any

import pytest

from bookings.operations.proposals import approve_change, propose_change, reject_change, seen_of
from services.enums import Decision
from services.models import OpeningHours, ProposedChange, Service
from services.proposed_values import variant_key
from staff.enums import Role
from tests import factories, journeys
from tests.concurrency.racing import deadlock_count, race, rounds
from tests.factories import NOW, Studio
from tests.proposals import actor_of, propose, propose_new, propose_price, stamps_of, values_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def approving(proposal: ProposedChange, **changes: Any) -> Any:
    given = {"seen": seen_of(proposal), "accepts_news": False, "accepted_bookings": (), "reason": ""}
    owner = actor_of(factories.desk_user(Role.OWNER))
    return partial(approve_change, proposal_id=proposal.pk, actor=owner, now=NOW, **{**given, **changes})


def rejecting(proposal: ProposedChange) -> Any:
    owner = actor_of(factories.desk_user(Role.OWNER))
    return partial(reject_change, proposal_id=proposal.pk, reason="No", actor=owner, now=NOW)


def names(outcomes: list[Any]) -> list[str]:
    return sorted(type(each).__name__ for each in outcomes)


@rounds(short=5, full=40)
def test_one_owner_approves_while_another_rejects(studio: Studio, rounds: int) -> None:
    before = deadlock_count()
    for number in range(rounds):
        proposal = propose_price(studio, 9000 + number)
        studio.variant.refresh_from_db()
        old = studio.variant.price_minor

        outcomes = race([approving(proposal), rejecting(proposal), approving(proposal)])

        assert names(outcomes) == ["ProposalDecided", "ProposalDecided", "ProposedChange"]
        proposal.refresh_from_db()
        studio.variant.refresh_from_db()
        assert studio.variant.price_minor == (9000 + number if proposal.decision == Decision.APPROVED else old)
    assert deadlock_count() == before


@rounds(short=5, full=40)
def test_of_two_prices_approved_at_once_the_second_owner_sees_the_first(studio: Studio, rounds: int) -> None:
    for number in range(1, rounds + 1):
        first, second = propose_price(studio, 9000 + number), propose_price(studio, 19_000 + number)

        outcomes = race([approving(first), approving(second)])

        assert names(outcomes) == ["ProposalOutdated", "ProposedChange"]
        studio.variant.refresh_from_db()
        [approved] = ProposedChange.objects.filter(pk__in=[first.pk, second.pk], decision=Decision.APPROVED)
        assert approved.after == {variant_key(studio.variant.pk, "price_minor"): studio.variant.price_minor}


@rounds(short=3, full=20)
def test_two_new_services_of_one_name_at_once(studio: Studio, rounds: int) -> None:
    for number in range(rounds):
        proposals = [propose_new(studio, name=f"Foot {number}") for _ in range(2)]

        outcomes = race([approving(each) for each in proposals])

        assert names(outcomes) == ["ProposedChange", "ProposedChange"]
    assert Counter(Service.objects.values_list("slug", flat=True)).most_common(1)[0][1] == 1


@rounds(short=5, full=8)
def test_a_booking_made_while_hours_shrink_is_listed_or_refused(studio: Studio, rounds: int) -> None:
    for number in range(rounds):
        # Tuesdays, a week apart.
        start = studio.minute(10, days=1 + 7 * number)
        OpeningHours.objects.filter(location=studio.location, weekday=1).update(start_minute=540, end_minute=1020)
        proposal = propose(studio.location, day__1=[[840, 1020]])
        booked = list(studio.staff[0].booking_lines.filter(starts_at__gt=NOW).values_list("booking_id", flat=True))

        held, approved = race(
            [
                partial(journeys.hold, studio, 10, start_minute=start),
                approving(proposal, accepted_bookings=booked),
            ]
        )

        is_approved, is_held = type(approved).__name__, type(held).__name__
        assert (is_held, is_approved) in {("HeldSlot", "BookingsOutside"), ("SlotNotOffered", "ProposedChange")}


@rounds(short=5, full=30)
def test_two_managers_who_propose_at_once_are_both_heard(studio: Studio, rounds: int) -> None:
    service, key = studio.variant.service, variant_key(studio.variant.pk, "price_minor")
    managers = [actor_of(factories.desk_user(Role.MANAGER)) for _ in range(2)]
    values, seen = values_of(service), stamps_of(service)

    for number in range(rounds):
        race(
            [
                partial(
                    propose_change,
                    subject=Service.objects.get(),
                    values={**values, key: 9000 + number},
                    seen=seen,
                    note="",
                    actor=manager,
                    now=NOW,
                )
                for manager in managers
            ]
        )

    assert ProposedChange.objects.count() == 2 * rounds
    studio.variant.refresh_from_db()
    assert studio.variant.price_minor == 8000
