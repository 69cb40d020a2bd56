"""The database engine detects that a persistent connection has ended."""

import select
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


@pytest.fixture
def kept(transactional_db: None) -> Iterator[BaseDatabaseWrapper]:
    """A connection of its own, as a thread of the web server keeps one."""
    other = connection.copy()
    other.connect()
    yield other
    other.close()


def test_idle_connection_is_usable_without_a_statement(kept: BaseDatabaseWrapper) -> None:
    sent: list[str] = []

    with kept.execute_wrapper(lambda execute, sql, *rest: sent.append(sql) or execute(sql, *rest)):
        assert kept.is_usable()

    assert sent == []


def test_connection_that_the_server_ended_is_not_usable(kept: BaseDatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    _until_arrived(kept)

    assert not kept.is_usable()


def test_notice_on_an_idle_connection_leaves_it_usable(kept: BaseDatabaseWrapper) -> None:
    with kept.cursor() as cursor:
        cursor.execute("LISTEN test_notice")
    with connection.cursor() as cursor:
        cursor.execute("NOTIFY test_notice")
    _until_arrived(kept)

    assert kept.is_usable()


def test_closed_connection_is_not_usable(kept: BaseDatabaseWrapper) -> None:
    kept.close()

    assert not kept.is_usable()


def _until_arrived(kept: BaseDatabaseWrapper) -> None:
    poll = select.poll()
    poll.register(kept.connection.fileno(), select.POLLIN)
    assert poll.poll(5000)
