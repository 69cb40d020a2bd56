"""A full day of the calendar against the statements of that page alone."""

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client

from accounts.models import User
from accounts.staff_session import prove
from core import clock
from staff.enums import Role
from staff.models import Access


def front_desk() -> Client:
    """The browser of an owner, so that nothing is left out."""
    user, _ = User.objects.get_or_create(email="desk@example.com", defaults={"name": "Desk"})
    Access.objects.get_or_create(user=user, role=Role.OWNER, location=None)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    session = client.session
    prove(session, user, now=clock.now())
    session.save()
    return client


def statements_of(act: Callable[[], Any]) -> list[tuple[str, Any]]:
    """Do something once and return the statements that it ran, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        found.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(note):
        act()
    return found


def replay(statements: list[tuple[str, Any]]) -> int:
    """Run statements and fetch their rows, with nothing around them."""
    rows = 0
    with connection.cursor() as cursor:
        for sql, parameters in statements:
            cursor.execute(sql, parameters)
            rows += len(cursor.fetchall()) if cursor.description else 0
    return rows
