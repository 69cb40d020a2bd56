"""Money alerts: problems that a staff member has to resolve. Each is written once and listed until it is resolved."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.inserts import insert_unless_known
from payments.enums import AlertKind
from payments.models import MoneyAlert, Payment, Refund


def raise_alert(
    *,
    kind: AlertKind,
    key: str,
    subject_ref: str = "",
    payment: Payment | None = None,
    refund: Refund | None = None,
    details: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Write an alert for staff in the current transaction. Does nothing if this ``kind`` and ``key`` already exist.

    ``details`` hold ids and amounts, no personal data.
    """
    alert = MoneyAlert(
        kind=kind,
        key=f"{kind}:{key}",
        subject_ref=subject_ref or (payment.subject_ref if payment else ""),
        payment=payment,
        refund=refund,
        details=dict(details or {}),
        created_at=now,
    )
    insert_unless_known(alert, unique=("key",))


def resolve_alert(*, alert_id: int, resolution: str, actor_name: str, now: datetime) -> bool:
    """Mark an alert as resolved by a staff member. Return False if it is resolved already.

    :raises MoneyAlert.DoesNotExist: when there is no such alert.
    """
    alert = MoneyAlert.objects.get(pk=alert_id)
    resolved = MoneyAlert.objects.filter(pk=alert.pk, resolved_at=None).update(
        resolved_at=now, resolved_by=actor_name[:120], resolution=resolution[:300]
    )
    return resolved == 1


def settle_alert(*, kind: AlertKind, key: str, resolution: str, now: datetime) -> None:
    """Resolve an open alert whose cause has ended without a staff member. Does nothing if there is none."""
    listed = MoneyAlert.objects.filter(key=f"{kind}:{key}", resolved_at=None)
    listed.update(resolved_at=now, resolution=resolution[:300])


def settle_alerts_of(refund: Refund, *, resolution: str, actor_name: str, now: datetime) -> None:
    """Resolve the open alerts about a refund that a staff member has just settled. Runs in the current transaction."""
    open_ones = MoneyAlert.objects.filter(refund=refund, resolved_at=None)
    open_ones.update(resolved_at=now, resolved_by=actor_name[:120], resolution=resolution[:300])
