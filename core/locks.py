"""Locks by name, for things that have no row to lock."""

from django.db import connection


def one_at_a_time(*names: str) -> None:
    """Take an advisory lock for each name and hold it to the end of the current transaction. Waits for other holders.

    The locks are taken in the given order, which must be the same everywhere to prevent deadlocks. The next statement
    sees what the earlier holders committed.
    """
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [list(names)]
        )
