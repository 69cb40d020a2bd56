"""One transaction per operation: what PostgreSQL refuses becomes one of our errors, and a deadlock is tried again."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import IntegrityError, OperationalError, connection, transaction

from bookings.errors import Busy, SlotTaken

P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
NO_OVERLAP = "bookings_allocation_no_overlap"
_DEADLOCK = {"40P01", "40001"}
_LOCK_TIMEOUT = "55P03"
# Six random characters meet an existing reference about once in a billion; then other characters are drawn.
_REFERENCE = "bookings_booking_reference_key"


class Overtaken(SlotTaken):
    """Those chosen are gone, others may be free: worth another look with new facts and new locks."""


def booking_transaction(operation: Callable[P, R]) -> Callable[P, R]:
    """Run ``operation`` in a transaction. Inside another one it is tried once: the outer one tries again as a whole.

    :raises SlotTaken: when the exclusion constraint refuses a claim.
    :raises Busy: when a lock did not come in time, or deadlocks did not end.
    """

    @wraps(operation)
    def in_transaction(*args: P.args, **kwargs: P.kwargs) -> R:
        if _is_inside_another():
            return _once(operation, *args, **kwargs)
        for attempt in range(1, TRIES + 1):
            try:
                with transaction.atomic():
                    return operation(*args, **kwargs)
            except Overtaken:
                if attempt == TRIES:
                    raise SlotTaken from None
            except (IntegrityError, OperationalError) as error:
                if not _may_try_again(error):
                    raise
                if attempt == TRIES:
                    raise Busy from error
            # Two that met once shall not meet again at once.
            time.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    return in_transaction


def is_outermost() -> bool:
    """Whether the operation that runs has a transaction to itself."""
    return len(_blocks()) == 1


def commit_for_sure() -> None:
    """Let the commit of the current transaction wait for the disk again, as all do but those of holds."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO DEFAULT")


def _is_inside_another() -> bool:
    return bool(_blocks())


def _blocks() -> list[Any]:
    return [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]


def _once(operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run in a part of the outer transaction; what may be tried again is left to the outer one."""
    try:
        with transaction.atomic():
            return operation(*args, **kwargs)
    except (IntegrityError, OperationalError) as error:
        _may_try_again(error)
        raise


def _may_try_again(error: Exception) -> bool:
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None)
    constraint = getattr(getattr(cause, "diag", None), "constraint_name", None)
    if constraint == NO_OVERLAP:
        raise SlotTaken from error
    if state == _LOCK_TIMEOUT:
        raise Busy from error
    return state in _DEADLOCK or constraint == _REFERENCE
