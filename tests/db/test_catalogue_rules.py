"""The policy that applies to a service: its own, else its category's, else the business's."""

from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from services import queries
from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode
from services.models import Business, Service
from services.values import CancellationPolicyValues, TierValues
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("of_service", "of_category", "of_business", "winner"),
    [
        (10, 20, 30, 10),
        (10, None, None, 10),
        (None, 20, 30, 20),
        (None, None, 30, 30),
        (None, None, None, None),
    ],
)
def test_cancellation_policy_precedence(
    of_service: int | None, of_category: int | None, of_business: int | None, winner: int | None
) -> None:
    service, category, firm = (
        factories.cancellation_policy(free_move_count=count) if count else None
        for count in (of_service, of_category, of_business)
    )
    factories.business(cancellation_policy=firm)
    made = factories.service(
        category=factories.category(cancellation_policy=category), cancellation_policy=service
    ).service

    with CaptureQueriesContext(connection) as captured:
        found = queries.cancellation_policy_for(made)

    assert len(captured) == 1
    assert (found.free_move_count if found else None) == winner
    assert queries.cancellation_policy_for(made.pk) == found


def test_cancellation_policy_is_read_whole() -> None:
    policy = factories.cancellation_policy(
        (0, FeeKind.ALL, 0),
        (2880, FeeKind.NONE, 0),
        (1440, FeeKind.PERCENT, 5000),
        reschedule_until_minutes=720,
        free_move_count=2,
        over_limit=OverLimit.FEE,
        change_fee_minor=500,
        grace_minutes=10,
        grace_min_lead_minutes=90,
    )
    factories.business(cancellation_policy=policy)

    assert queries.cancellation_policy_for(factories.service().service) == CancellationPolicyValues(
        tiers=(
            TierValues(2880, FeeKind.NONE, 0),
            TierValues(1440, FeeKind.PERCENT, 5000),
            TierValues(0, FeeKind.ALL, 0),
        ),
        reschedule_until_minutes=720,
        free_move_count=2,
        over_limit=OverLimit.FEE,
        change_fee_minor=500,
        grace_minutes=10,
        grace_min_lead_minutes=90,
    )


def test_rules_of_money_are_read_with_the_policy() -> None:
    values: dict[str, Any] = {
        "payment_mode": PaymentMode.DEPOSIT,
        "deposit_kind": DepositKind.FIXED,
        "deposit_value": 1500,
        "deposit_rule": DepositRule.ALWAYS_KEEP,
        "is_fee_capped_at_deposit": False,
        "saves_card": True,
        "no_show_fee_kind": FeeKind.PERCENT,
        "no_show_fee_value": 5000,
        "no_show_grace_minutes": 10,
        "waiver_hours": 48,
        "charges_fees_automatically": False,
        "first_no_show_free_days": 180,
        "grace_minutes": 0,
        "grace_min_lead_minutes": 0,
    }
    factories.business(cancellation_policy=factories.cancellation_policy(**values))

    found = queries.cancellation_policy_for(factories.service().service)

    assert found == CancellationPolicyValues(**values)
    assert isinstance(found.payment_mode, PaymentMode)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, (PaymentMode.DEPOSIT, DepositKind.PERCENT, 2000)),
        ({"payment_mode": "full"}, (PaymentMode.FULL, DepositKind.PERCENT, 2000)),
        ({"deposit_kind": "fixed", "deposit_value": 900}, (PaymentMode.DEPOSIT, DepositKind.FIXED, 900)),
    ],
)
def test_a_service_may_ask_otherwise(own: dict[str, Any], expected: tuple[Any, ...]) -> None:
    policy = factories.cancellation_policy((0, FeeKind.ALL, 0), payment_mode="deposit", deposit_value=2000)
    factories.business(cancellation_policy=policy)

    service_id = factories.service(**own).service.pk

    with CaptureQueriesContext(connection) as captured:
        found = queries.cancellation_policy_for(service_id)

    assert len(captured) == 1
    assert found is not None
    assert (found.payment_mode, found.deposit_kind, found.deposit_value) == expected
    assert found.tiers == (TierValues(0, FeeKind.ALL, 0),)


def test_a_service_may_ask_without_any_policy() -> None:
    factories.business()

    found = queries.cancellation_policy_for(factories.service(payment_mode="full").service)

    assert found == CancellationPolicyValues(payment_mode=PaymentMode.FULL)


@pytest.mark.parametrize(
    "values",
    [
        {"payment_mode": "deposit"},
        {"deposit_value": 10_001},
        {"no_show_fee_kind": "percent"},
        {"no_show_fee_kind": "fixed"},
        {"no_show_fee_kind": "percent", "no_show_fee_value": 10_001},
    ],
)
def test_the_database_refuses_a_policy_that_contradicts_itself(values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        factories.cancellation_policy(**values)


@pytest.mark.parametrize(
    "values",
    [
        {"deposit_kind": "percent"},
        {"deposit_value": 500},
        {"deposit_kind": "percent", "deposit_value": 10_001},
        {"deposit_kind": "fixed", "deposit_value": 0},
    ],
)
def test_the_database_refuses_half_a_deposit_of_a_service(values: dict[str, Any]) -> None:
    service = factories.service().service

    with pytest.raises(IntegrityError):
        Service.objects.filter(pk=service.pk).update(**values)


def test_policy_without_tiers_is_still_a_policy() -> None:
    factories.business(cancellation_policy=factories.cancellation_policy(grace_minutes=5))

    found = queries.cancellation_policy_for(factories.service().service)

    assert found is not None
    assert (found.tiers, found.grace_minutes) == ((), 5)


def test_business_comes_with_its_policy_in_one_query() -> None:
    factories.business(name="Linden Studio")

    with CaptureQueriesContext(connection) as captured:
        found = queries.the_business()
        assert (found.name, found.booking_policy.lead_minutes) == ("Linden Studio", 0)

    assert len(captured) == 1


def test_no_business_is_said_so() -> None:
    with pytest.raises(Business.DoesNotExist):
        queries.the_business()
    assert queries.business_if_set_up() is None
