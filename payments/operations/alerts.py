"""What needs hands: written down once, shown until somebody has seen to it."""

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
    """List something for a person in the current transaction; what has this ``key`` already is left alone.

    ``details`` hold ids and sums, nothing personal.
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
    """Take an alert off the list; False when somebody was faster.

    :raises MoneyAlert.DoesNotExist: when there is no such alert.
    """
    alert = MoneyAlert.objects.get(pk=alert_id)
    resolved = MoneyAlert.objects.filter(pk=alert.pk, resolved_at=None).update(
        resolved_at=now, resolved_by=actor_name[:120], resolution=resolution[:300]
    )
    return resolved == 1


def settle_alert(*, kind: AlertKind, key: str, resolution: str, now: datetime) -> None:
    """Take an alert off the list, if it is on it, because what it is about has ended by itself."""
    listed = MoneyAlert.objects.filter(key=f"{kind}:{key}", resolved_at=None)
    listed.update(resolved_at=now, resolution=resolution[:300])


def settle_alerts_of(refund: Refund, *, resolution: str, actor_name: str, now: datetime) -> None:
    """Take what was listed about a refund off the list, because doing it settled it. In the current transaction."""
    open_ones = MoneyAlert.objects.filter(refund=refund, resolved_at=None)
    open_ones.update(resolved_at=now, resolved_by=actor_name[:120], resolution=resolution[:300])
