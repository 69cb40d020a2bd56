"""Locks by name, for what no row stands for."""

from django.db import connection


def one_at_a_time(*names: str) -> None:
    """Wait until no other transaction has taken these names, and keep them to the end of the current one.

    They are taken in the order given, which has to be the same everywhere. What others committed meanwhile is seen by
    the next statement.
    """
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM unnest(%s::text[]) AS name", [list(names)]
        )
