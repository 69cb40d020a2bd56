"""Requests of customers for access or erasure: open, export, approve, decline, close.

An erasure is approved by an owner and done by a worker, because only workers may change history.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from accounts.customer_record import By, locked_customer
from bookings.models import Booking
from core.inserts import insert_rows
from core.outbox import publish
from privacy.enums import UNFINISHED, CaseKind, CaseState, CaseStep
from privacy.errors import CannotErase, CaseClosed, CaseOpen, Erased
from privacy.hindrances import hindrances_of
from privacy.models import CaseEvent, PrivacyCase
from privacy.operations.erase import erase_customer
from privacy.operations.export import export_customer
from privacy.rules import due_on

TOPIC = "customer.erase"


@transaction.atomic
def open_case(*, customer_id: int, kind: CaseKind, note: str, asked_on: date, by: By, now: datetime) -> PrivacyCase:
    """Open a case. Its due date is a month after the customer asked. Locks the customer.

    :raises Erased: when the customer has been erased.
    :raises CaseOpen: when a case of this kind is open.
    """
    customer = locked_customer(customer_id)
    if customer.erased_at is not None:
        raise Erased
    if known := customer.privacy_cases.filter(kind=kind, state__in=sorted(UNFINISHED)).first():
        raise CaseOpen(reference=known.reference)
    case = PrivacyCase(
        kind=kind, customer=customer, note=note, opened_at=now, due_on=due_on(asked_on), state=CaseState.OPEN
    )
    case.save()
    _record(case, CaseStep.OPENED, by, now)
    return case


@transaction.atomic
def export_for_case(*, case_id: int, by: By, now: datetime) -> dict[str, Any]:
    """Return the customer's data and write down who downloaded it. Locks the case.

    :raises CaseClosed: when the case has been answered.
    :raises Erased: when the customer has been erased.
    """
    case = _open_case(case_id)
    data = export_customer(customer_id=case.customer_id, now=now)
    _record(case, CaseStep.EXPORTED, by, now)
    return data


@transaction.atomic
def export_for_owner(*, customer_id: int, note: str, asked_on: date, by: By, now: datetime) -> dict[str, Any]:
    """Return the data of a signed-in customer, and write down that they downloaded it.

    It is a case that is answered at once; while staff have an open one, the download is a step of that. ``note`` says
    how the customer was recognised. Locks the customer and the case.

    :raises Erased: when the customer has been erased.
    """
    open_one = PrivacyCase.objects.filter(
        customer_id=customer_id, kind=CaseKind.ACCESS, state__in=sorted(UNFINISHED)
    ).first()
    if open_one is not None:
        return export_for_case(case_id=open_one.pk, by=by, now=now)
    case = open_case(customer_id=customer_id, kind=CaseKind.ACCESS, note=note, asked_on=asked_on, by=by, now=now)
    data = export_for_case(case_id=case.pk, by=by, now=now)
    close_case(case_id=case.pk, by=by, now=now)
    return data


@transaction.atomic
def approve_erasure(*, case_id: int, by: By, now: datetime) -> PrivacyCase:
    """Approve an erasure, which a worker then does. Locks the case. Publishes ``customer.erase``.

    :raises CaseClosed: when the case is approved or answered already, or is not about erasure.
    :raises CannotErase: while a booking is ahead or money is not settled.
    """
    case = _open_case(case_id)
    if case.kind != CaseKind.ERASURE or case.state != CaseState.OPEN:
        raise CaseClosed
    if found := hindrances_of(Booking.objects.filter(customer_id=case.customer_id), now=now):
        raise CannotErase(found=found)
    case.state = CaseState.APPROVED
    case.save(update_fields=["state"])
    event = _record(case, CaseStep.APPROVED, by, now)
    publish(TOPIC, f"case:{case.pk}:{event.pk}", {"case_id": case.pk}, now=now)
    return case


def erase_for_case(*, case_id: int, now: datetime) -> None:
    """Erase the customer of an approved case and close it; nothing happens when the case is not approved.

    When something has come in the way since the approval, the case is open again. Runs outside any transaction;
    harmless when repeated.
    """
    case = PrivacyCase.objects.get(pk=case_id)
    if case.state != CaseState.APPROVED:
        return
    try:
        erase_customer(customer_id=case.customer_id, now=now)
    except CannotErase as error:
        _finish(case_id, CaseState.OPEN, CaseStep.HINDERED, now, hindrances=sorted(error.data["found"]))
    else:
        _finish(case_id, CaseState.DONE, CaseStep.ERASED, now)


@transaction.atomic
def close_case(*, case_id: int, by: By, now: datetime) -> PrivacyCase:
    """Close a case about access once the customer has the data. Locks the case.

    :raises CaseClosed: when it has been answered, or is about erasure.
    """
    case = _open_case(case_id)
    if case.kind != CaseKind.ACCESS:
        raise CaseClosed
    return _close(case, CaseState.DONE, CaseStep.DONE, by, now)


@transaction.atomic
def decline_case(*, case_id: int, decision: str, by: By, now: datetime) -> PrivacyCase:
    """Decline a request, with the reason that the customer is told. Locks the case.

    :raises CaseClosed: when it has been approved or answered.
    """
    case = _open_case(case_id)
    if case.state != CaseState.OPEN:
        raise CaseClosed
    case.decision = decision
    return _close(case, CaseState.DECLINED, CaseStep.DECLINED, by, now)


def _open_case(case_id: int) -> PrivacyCase:
    case = PrivacyCase.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state not in UNFINISHED:
        raise CaseClosed
    return case


def _close(case: PrivacyCase, state: CaseState, step: CaseStep, by: By, now: datetime) -> PrivacyCase:
    case.state, case.closed_at = state, now
    case.save(update_fields=["state", "closed_at", "decision"])
    _record(case, step, by, now)
    return case


@transaction.atomic
def _finish(case_id: int, state: CaseState, step: CaseStep, now: datetime, *, hindrances: Sequence[str] = ()) -> None:
    """Write what a worker did. The customer may have had other open requests, which are answered by the erasure."""
    case = PrivacyCase.objects.select_for_update(no_key=True).get(pk=case_id)
    if case.state != CaseState.APPROVED:
        return
    case.state = state
    case.closed_at = None if state in UNFINISHED else now
    case.save(update_fields=["state", "closed_at"])
    _record(case, step, By(None, ""), now, hindrances=hindrances)
    if state == CaseState.DONE:
        others = PrivacyCase.objects.filter(customer_id=case.customer_id, state__in=sorted(UNFINISHED))
        for other in others.select_for_update(no_key=True):
            _close(other, CaseState.DONE, CaseStep.ERASED, By(None, ""), now)


def _record(case: PrivacyCase, step: CaseStep, by: By, now: datetime, *, hindrances: Sequence[str] = ()) -> CaseEvent:
    event = CaseEvent(
        case=case, step=step, hindrances=list(hindrances), actor_id=by.user_id, actor_name=by.name, at=now
    )
    insert_rows(event)
    return event
