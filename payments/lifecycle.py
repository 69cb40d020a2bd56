"""The statuses of payments, card setups and refunds: which may follow which, and the one function that writes them.

What the provider says decides which comes next; a step that is not in a table is an old notice and changes nothing.
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
    # Given up by us, perhaps before the provider had been asked; it may know better. Another one may wait by now.
    _P.FAILED: frozenset({_P.SUCCEEDED}),
    _P.CANCELLED: frozenset({_P.SUCCEEDED}),
}

REFUNDS: Mapping[str, frozenset[str]] = {
    # By a person alone; called off where the money went back another way meanwhile.
    _R.AWAITING_APPROVAL: frozenset({_R.QUEUED, _R.DECLINED, _R.CANCELLED}),
    _R.QUEUED: frozenset({_R.SUBMITTED, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.SUBMITTED: frozenset({_R.PENDING, _R.REQUIRES_ACTION, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.PENDING: frozenset({_R.REQUIRES_ACTION, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    _R.REQUIRES_ACTION: frozenset({_R.PENDING, _R.SUCCEEDED, _R.FAILED, _R.CANCELLED}),
    # A bank may send the money back days later.
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
    """Move ``row`` to ``to`` where its table allows it and nobody was faster; say whether it moved.

    ``values`` are further columns of the same UPDATE. The row shows them afterwards.
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
