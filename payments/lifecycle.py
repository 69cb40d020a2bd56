"""The allowed status changes of payments, card setups and refunds, and the one function that writes a status.

Stripe's answers decide the next status. A change that is not in the tables comes from an outdated event and is ignored.
"""

from collections.abc import Mapping
from typing import Any

from payments.enums import PaymentStatus, RefundStatus, SetupStatus
from payments.models import CardSetup, Payment, Refund

_P, _R, _S = PaymentStatus, RefundStatus, SetupStatus

PAYMENTS: Mapping[str, frozenset[str]] = {
    _P.CREATED: frozenset({_P.OPEN, _P.PROCESSING, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED}),
    _P.OPEN: frozenset({_P.PROCESSING, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED}),
    _P.PROCESSING: frozenset({_P.OPEN, _P.SUCCEEDED, _P.FAILED, _P.CANCELLED}),
    _P.SUCCEEDED: frozenset(),
    # We gave the payment up, but Stripe may have taken the money. Another payment may be open by now, so a closed one
    # never becomes open again.
    _P.FAILED: frozenset({_P.SUCCEEDED}),
    _P.CANCELLED: frozenset({_P.SUCCEEDED}),
}

REFUNDS: Mapping[str, frozenset[str]] = {
    # Only a staff member approves or declines. Cancelled if the money went back another way meanwhile.
    _R.AWAITING_APPROVAL: frozenset({_R.QUEUED, _R.DECLINED, _R.CANCELLED}),
    _R.QUEUED: frozenset({_R.SUBMITTED, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.SUBMITTED: frozenset({_R.PENDING, _R.REQUIRES_ACTION, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.PENDING: frozenset({_R.REQUIRES_ACTION, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.REQUIRES_ACTION: frozenset({_R.PENDING, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    # A bank may return the money to us days later.
    _R.SUCCEEDED: frozenset({_R.FAILED}),
    _R.FAILED: frozenset(),
    _R.CANCELLED: frozenset(),
    _R.DECLINED: frozenset(),
}

SETUPS: Mapping[str, frozenset[str]] = {
    _S.CREATED: frozenset({_S.OPEN, _S.PROCESSING, _S.SUCCEEDED, _S.CANCELLED}),
    _S.OPEN: frozenset({_S.PROCESSING, _S.SUCCEEDED, _S.CANCELLED}),
    _S.PROCESSING: frozenset({_S.OPEN, _S.SUCCEEDED, _S.CANCELLED}),
    _S.SUCCEEDED: frozenset(),
    _S.CANCELLED: frozenset({_S.SUCCEEDED}),
}

_TABLES: Mapping[type, Mapping[str, frozenset[str]]] = {Payment: PAYMENTS, Refund: REFUNDS, CardSetup: SETUPS}


def advance(row: Payment | Refund | CardSetup, to: str, **values: Any) -> bool:
    """Change the status of ``row`` to ``to`` and return True, if its table allows it.

    Returns False if it does not, or if another process changed the status first. ``values`` are further columns of the
    same UPDATE; they are set on ``row`` as well.
    """
    model = type(row)
    if to not in _TABLES[model][row.status]:
        return False
    columns = {**values, "status": to}
    if not model._default_manager.filter(pk=row.pk, status=row.status).update(**columns):
        return False
    for name, value in columns.items():
        setattr(row, name, value)
    return True
