"""Nightly deletion of the old rows of the access log, and of what is kept about sign-ins and codes that are over.

The application may only add rows. The database function ``openhours_delete_old_access`` deletes with the rights of the
owner, and nothing of the last six months, so that a user who got hold of the application cannot remove traces.
"""

import time
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from accounts import customer_session
from accounts.models import CustomerSession, SignInCode
from core.retention import BATCH, LONGEST_RUN_SECONDS, delete_in_batches

_CODES_KEPT = timedelta(days=1)
_A_MONTH = timedelta(days=30.44)


def delete_old_access(*, now: datetime) -> int:
    """Delete rows older than ACCESS_LOG_KEPT_MONTHS in batches, each in a transaction of its own. Return the number."""
    before = now - settings.ACCESS_LOG_KEPT_MONTHS * _A_MONTH
    started, gone = time.monotonic(), 0
    while time.monotonic() - started < LONGEST_RUN_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT openhours_delete_old_access(%s, %s)", [before, BATCH])
            (deleted,) = cursor.fetchone()
        if not deleted:
            break
        gone += deleted
    return gone


def forget_ended_sessions(*, now: datetime) -> int:
    """Delete browser and network address of sessions of staff and customers that have ended, and old codes.

    Return the number.
    """
    of_staff = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key"))
    of_customers = CustomerSession.objects.filter(last_seen_at__lt=now - customer_session.KEPT)
    codes = SignInCode.objects.filter(expires_at__lt=now - _CODES_KEPT)
    return sum(delete_in_batches(rows) for rows in (of_staff, of_customers, codes))
