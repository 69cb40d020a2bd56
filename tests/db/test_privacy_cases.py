"""Requests of customers: who decides, when they are due, and what becomes of an erasure."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from accounts.customer_record import By
from bookings.operations.cancel import cancel_booking
from core.models import OutboxMessage
from privacy.enums import CaseKind, CaseState, CaseStep
from privacy.errors import CannotErase, CaseClosed, CaseOpen, Erased
from privacy.models import PrivacyCase
from privacy.operations.cases import (
    approve_erasure,
    close_case,
    decline_case,
    erase_for_case,
    export_for_case,
    open_case,
)
from privacy.queries import cases_due_soon
from tests import factories
from tests.factories import NOW
from tests.journeys import DESK, booked
from tests.money import deliver
from tests.needles import ZELDA, Planted, plant, tables_with

pytestmark = pytest.mark.django_db

SAM, OLIVIA = By(None, "Sam"), By(None, "Olivia")


def asked(planted: Planted, kind: CaseKind = CaseKind.ERASURE, *, asked_on: date | None = None) -> PrivacyCase:
    now = planted.over_at
    return open_case(
        customer_id=planted.customer.pk,
        kind=kind,
        note="Zelda called",
        asked_on=asked_on or now.date(),
        by=SAM,
        now=now,
    )


def steps(case: PrivacyCase) -> list[tuple[str, str]]:
    return list(case.events.values_list("step", "actor_name"))


def test_a_case_is_due_a_month_after_the_customer_asked() -> None:
    case = asked(plant(), asked_on=date(2027, 1, 2))

    assert case.due_on == date(2027, 2, 2)
    assert steps(case) == [(CaseStep.OPENED, "Sam")]


def test_a_customer_has_one_open_case_of_a_kind() -> None:
    planted = plant()
    case = asked(planted)

    with pytest.raises(CaseOpen) as error:
        asked(planted)
    asked(planted, CaseKind.ACCESS)

    assert error.value.data["reference"] == case.reference


def test_an_export_is_written_down_and_the_case_closed_by_hand() -> None:
    planted = plant()
    case = asked(planted, CaseKind.ACCESS)

    data = export_for_case(case_id=case.pk, by=SAM, now=planted.over_at)
    close_case(case_id=case.pk, by=SAM, now=planted.over_at)

    case.refresh_from_db()
    assert data["contact"]["name"] == planted.customer.name
    assert case.state == CaseState.DONE
    assert [step for step, _ in steps(case)] == [CaseStep.OPENED, CaseStep.EXPORTED, CaseStep.DONE]


def test_a_worker_erases_what_an_owner_approved_and_the_case_names_nobody() -> None:
    planted = plant()
    case = asked(planted)

    approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at)
    case.refresh_from_db()
    assert case.state == CaseState.APPROVED
    deliver(now=planted.over_at)

    case.refresh_from_db()
    planted.customer.refresh_from_db()
    assert (case.state, case.note) == (CaseState.DONE, "")
    assert planted.customer.erased_at is not None
    assert steps(case) == [(CaseStep.OPENED, "Sam"), (CaseStep.APPROVED, "Olivia"), (CaseStep.ERASED, "")]
    assert tables_with() == {}


def test_erasing_answers_an_open_request_for_access() -> None:
    planted = plant()
    access, erasure = asked(planted, CaseKind.ACCESS), asked(planted)

    approve_erasure(case_id=erasure.pk, by=OLIVIA, now=planted.over_at)
    deliver(now=planted.over_at)

    access.refresh_from_db()
    assert access.state == CaseState.DONE


def test_an_erasure_is_refused_while_something_is_unfinished() -> None:
    booking = booked(factories.studio())
    case = open_case(
        customer_id=booking.customer_id or 0, kind=CaseKind.ERASURE, note="", asked_on=NOW.date(), by=SAM, now=NOW
    )

    with pytest.raises(CannotErase):
        approve_erasure(case_id=case.pk, by=OLIVIA, now=NOW)

    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert not OutboxMessage.objects.filter(topic="customer.erase").exists()


def test_what_comes_in_the_way_after_the_approval_opens_the_case_again() -> None:
    planted = plant()
    case = asked(planted)
    approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at)
    later = booked(
        planted.place,
        contact=ZELDA,
        start_minute=planted.place.minute(10, days=20),
        now=planted.over_at,
    )
    deliver(now=planted.over_at)

    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert case.events.last().hindrances == ["ahead", "balance"]  # type: ignore[union-attr]

    cancel_booking(booking_id=later.pk, expected_fee_minor=0, expected_sequence=0, actor=DESK, now=planted.over_at)
    approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at)
    deliver(now=planted.over_at)

    case.refresh_from_db()
    assert case.state == CaseState.DONE


def test_a_second_approval_and_a_decision_after_it_are_refused() -> None:
    planted = plant()
    case = asked(planted)
    approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at)

    for again in (
        lambda: approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at),
        lambda: decline_case(case_id=case.pk, decision="No", by=OLIVIA, now=planted.over_at),
        lambda: close_case(case_id=case.pk, by=OLIVIA, now=planted.over_at),
    ):
        with pytest.raises(CaseClosed):
            again()

    assert OutboxMessage.objects.filter(topic="customer.erase").count() == 1


def test_a_declined_case_erases_nothing() -> None:
    planted = plant()
    case = asked(planted)

    decline_case(case_id=case.pk, decision="We could not tell who asked.", by=OLIVIA, now=planted.over_at)
    erase_for_case(case_id=case.pk, now=planted.over_at)

    planted.customer.refresh_from_db()
    assert planted.customer.erased_at is None


def test_an_erased_customer_gets_no_new_case() -> None:
    planted = plant()
    case = asked(planted)
    approve_erasure(case_id=case.pk, by=OLIVIA, now=planted.over_at)
    deliver(now=planted.over_at)

    with pytest.raises(Erased):
        asked(planted)


def test_a_case_is_a_to_do_from_a_week_before_it_is_due() -> None:
    case = asked(plant(), asked_on=date(2027, 1, 10))

    midnight = datetime.combine(case.due_on, time(), UTC)

    assert not cases_due_soon(midnight - timedelta(days=7, seconds=1)).exists()
    assert cases_due_soon(midnight - timedelta(days=7)).exists()
    assert cases_due_soon(midnight + timedelta(days=90)).exists()
