"""What the query layer loads: few statements, and only what counts."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.availability import candidates, free_starts
from bookings.enums import EXPIRING
from bookings.facts import _TAKEN, availability_facts
from tests import factories
from tests.factories import MONDAY, NOW

pytestmark = pytest.mark.django_db

TUESDAY = MONDAY + timedelta(days=1)


def load(studio: factories.Studio, days: int = 1, **values):
    return availability_facts(
        variant_ids=[studio.variant.id], from_on=TUESDAY, until_on=TUESDAY + timedelta(days=days), now=NOW, **values
    )


def test_an_empty_day_offers_every_start_that_fits():
    studio = factories.studio()

    starts = free_starts(load(studio), studio.variant.id)

    assert starts == {studio.location.id: list(range(studio.minute(9), studio.minute(16) + 1, 15))}


def test_what_is_offered_has_a_candidate():
    studio = factories.studio()

    (found,) = candidates(load(studio), studio.variant.id, studio.location.id, studio.minute(9))

    assert found.staff_member_id == studio.staff[0].id
    assert found.claims == ((studio.staff[0].resource_id, studio.minute(9), studio.minute(10)),)


@pytest.mark.parametrize("staff", [1, 30])
@pytest.mark.parametrize("days", [1, 60])
@pytest.mark.parametrize("limit", [None, 5])
def test_statements_do_not_grow_with_staff_or_days(staff: int, days: int, limit: int | None):
    studio = factories.studio(staff=staff, daily_limit=limit)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        load(studio, days)

    assert len(queries) == (4 if limit is None else 5)


def test_the_statement_names_the_statuses_that_end_by_themselves():
    names = ", ".join(f"'{status}'" for status in sorted(EXPIRING))

    assert _TAKEN.count(f"status IN ({names})") == 2
