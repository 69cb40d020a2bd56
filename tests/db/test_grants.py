"""What the application's database role may do, and what it may not even if its code is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from pytest_django import Settings

from core.doctor import rewritable_history
from core.management.commands import grants
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def granted() -> None:
    call_command("grants", stdout=StringIO())


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL ROLE {role}")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


def refusal(statement: str, role: str) -> str | None:
    """Return why the database refuses a statement, or None if it runs."""
    with acting_as(role):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        except ProgrammingError as error:
            return str(error).splitlines()[0]
        return None


HISTORY = [
    *("bookings_bookingevent", "accounts_consent", "django_admin_log", "services_settingschange"),
    *("payments_billline", "payments_receipt", "services_proposedchange", "accounts_accesslog"),
]


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET id = id",
        "DELETE FROM {}",
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} ADD COLUMN x int",
        "DROP TABLE {} CASCADE",
    ],
)
def test_application_cannot_rewrite_history(granted: None, table: str, statement: str) -> None:
    said = refusal(statement.format(table), "openhours_app")

    assert said is not None
    assert "permission denied" in said or "must be owner" in said


@pytest.mark.parametrize("table", HISTORY)
def test_application_adds_to_and_reads_history(granted: None, table: str) -> None:
    assert refusal(f"SELECT * FROM {table}", "openhours_app") is None
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('openhours_app', %s, 'INSERT')", [table])
        assert cursor.fetchone() == (True,)


def test_consents_can_be_withdrawn_and_nothing_else_of_them_changed(granted: None) -> None:
    assert refusal("UPDATE accounts_consent SET withdrawn_at = now(), customer_id = NULL", "openhours_app") is None
    assert "denied" in str(refusal("UPDATE accounts_consent SET text = ''", "openhours_app"))


def test_application_works_with_every_other_table(granted: None) -> None:
    special = [*settings.APPEND_ONLY_TABLES, "django_migrations"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> ALL(%s)"
            " AND NOT (has_table_privilege('openhours_app', oid, 'SELECT')"
            " AND has_table_privilege('openhours_app', oid, 'INSERT')"
            " AND has_table_privilege('openhours_app', oid, 'UPDATE')"
            " AND has_table_privilege('openhours_app', oid, 'DELETE'))",
            [special],
        )
        assert cursor.fetchall() == []


def test_application_only_reads_what_was_migrated(granted: None) -> None:
    assert refusal("SELECT * FROM django_migrations", "openhours_app") is None
    assert "denied" in str(refusal("DELETE FROM django_migrations", "openhours_app"))


def test_retention_erases_but_adds_nothing(granted: None) -> None:
    assert refusal("UPDATE bookings_bookingevent SET actor_name = ''", "openhours_retention") is None
    assert refusal("DELETE FROM accounts_consent", "openhours_retention") is None
    assert "denied" in str(refusal("INSERT INTO services_category (name) VALUES ('x')", "openhours_retention"))


def test_rights_given_by_hand_are_taken_back(granted: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT ALL ON bookings_bookingevent TO openhours_app")
    assert refusal("DELETE FROM bookings_bookingevent", "openhours_app") is None

    call_command("grants", stdout=StringIO())

    assert "denied" in str(refusal("DELETE FROM bookings_bookingevent", "openhours_app"))


def test_running_twice_changes_nothing(granted: None) -> None:
    def rights() -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, grantee, privilege_type FROM information_schema.role_table_grants"
                " WHERE table_schema = 'public' ORDER BY 1, 2, 3"
            )
            return list(cursor.fetchall())

    before = rights()
    call_command("grants", stdout=StringIO())

    assert rights() == before


def test_sessions_of_the_application_are_limited(granted: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT unnest(setconfig) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
            " WHERE d.datname = current_database() AND s.setrole = 0"
        )
        stored = {row[0] for row in cursor.fetchall()}

    assert {f"{name}={value}" for name, value in grants.LIMITS.items()} <= stored


def test_without_the_roles_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "APP", "nobody_at_all")
    out = StringIO()

    call_command("grants", stdout=out)

    assert out.getvalue() == "There is no role nobody_at_all, so there are no rights to hand out.\n"


def test_unknown_append_only_table_is_refused(settings: Settings) -> None:
    settings.APPEND_ONLY_TABLES = {"no_such_table": []}

    with pytest.raises(CommandError, match="no_such_table, which does not exist"):
        call_command("grants", stdout=StringIO())


def test_only_the_owner_can_run_it() -> None:
    with acting_as("openhours_app"), pytest.raises(CommandError, match="Only the owner"):
        call_command("grants", stdout=StringIO())


@pytest.mark.parametrize(
    ("right", "rewritable"),
    [
        ("UPDATE", "accounts_accesslog"),
        ("DELETE", "accounts_accesslog"),
        ("UPDATE (reference)", "accounts_accesslog.reference"),
        # Deleting a user clears the reference.
        ("UPDATE (user_id)", ""),
    ],
)
def test_the_doctor_notices_that_the_access_log_can_be_rewritten(granted: None, right: str, rewritable: str) -> None:
    assert rewritable_history(NOW) == []

    with connection.cursor() as cursor:
        cursor.execute(f"GRANT {right} ON accounts_accesslog TO {grants.APP}")

    expected = [f"{grants.APP} may rewrite {rewritable}; run manage.py grants"] if rewritable else []
    assert rewritable_history(NOW) == expected
