"""Locks by name, for what no row stands for."""

from django.db import connection


def one_at_a_time(name: str) -> None:
    """Wait until no other transaction has taken this name, and keep it to the end of the current one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
