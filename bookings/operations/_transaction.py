"""One transaction per operation.

Maps what PostgreSQL refuses to errors of ``bookings.errors`` and retries after a deadlock.
"""

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
# A new reference of six random characters exists already about once in a billion; then a new one is drawn.
_REFERENCE = "bookings_booking_reference_key"


class Overtaken(SlotTaken):
    """The candidates under the locks are taken, but others may be free: try again with new facts and new locks."""


def booking_transaction(operation: Callable[P, R]) -> Callable[P, R]:
    """Run ``operation`` in a transaction, up to ``TRIES`` times.

    Inside another transaction it runs once: the outer operation retries as a whole.

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
            # A random pause, so that two transactions that deadlocked do not meet again at once.
            time.sleep(random.uniform(0.005, 0.02) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    return in_transaction


def is_outermost() -> bool:
    """Return whether the running operation is the outermost transaction."""
    return len(_blocks()) == 1


def commit_for_sure() -> None:
    """Make the commit of this transaction wait for the disk. Only transactions of holds commit without waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO DEFAULT")


def _is_inside_another() -> bool:
    return bool(_blocks())


def _blocks() -> list[Any]:
    return [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]


def _once(operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run in a savepoint of the outer transaction, which does the retries."""
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
