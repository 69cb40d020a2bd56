"""``manage.py grants``: grant the rights of the application's and the retention job's database roles.

Run it as the owner of the database after each migrate. The application may not change or delete history and consents;
the retention job may. Neither may change the schema. The command revokes and grants all rights in one transaction, so
the result does not depend on earlier rights.
"""

from typing import Any, LiteralString

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.utils import ProgrammingError
from psycopg import sql

APP, RETENTION = "openhours_app", "openhours_retention"

# Set on the whole database, because its owner may do that without rights over other roles. A worker with a longer task
# raises its own limit by SET LOCAL.
LIMITS: dict[LiteralString, LiteralString] = {
    "lock_timeout": "3s",
    "statement_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "default_transaction_isolation": "read committed",
}
# Functions that run with the rights of the owner, for what the application may do in this one way only.
OWNER_FUNCTIONS: tuple[LiteralString, ...] = ("openhours_delete_old_access(timestamptz, integer)",)
# The owner runs migrations: a statement may take long, but must not queue for a lock so long that the site waits.
OWNER_LIMITS: dict[LiteralString, LiteralString] = {
    "lock_timeout": "2s",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}


class Command(BaseCommand):
    help = "Hands out the rights of the application's and the retention job's database roles. Run it as the owner."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        with connection.cursor() as cursor:
            if missing := _missing_roles(cursor):
                self.stdout.write(
                    f"There is no role {' and no role '.join(missing)}, so there are no rights to hand out."
                )
                return
            try:
                with transaction.atomic():
                    _grant(cursor, _tables(cursor))
                    _limit(cursor)
            except ProgrammingError as error:
                raise CommandError(f"Only the owner of the database and its tables can do this: {error}") from error
        self.stdout.write(f"{APP} and {RETENTION} have their rights on {connection.settings_dict['NAME']}.")


def _missing_roles(cursor: CursorWrapper) -> list[str]:
    cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[APP, RETENTION]])
    known = {name for (name,) in cursor.fetchall()}
    return [role for role in (APP, RETENTION) if role not in known]


def _tables(cursor: CursorWrapper) -> set[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {name for (name,) in cursor.fetchall()}


def _grant(cursor: CursorWrapper, tables: set[str]) -> None:
    both = (APP, RETENTION)
    _run(cursor, "GRANT CONNECT ON DATABASE {} TO {}, {}", connection.settings_dict["NAME"], *both)
    _run(cursor, "GRANT USAGE ON SCHEMA public TO {}, {}", *both)
    _run(cursor, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}, {}", *both)
    _run(cursor, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", APP)
    _run(cursor, "GRANT SELECT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}", RETENTION)
    _run(cursor, "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}, {}", *both)
    for table, changeable in settings.APPEND_ONLY_TABLES.items():
        if table not in tables:
            raise CommandError(f"APPEND_ONLY_TABLES names {table}, which does not exist. Run migrate first.")
        _run(cursor, "REVOKE UPDATE, DELETE ON {} FROM {}", table, APP)
        for column in changeable:
            _run(cursor, "GRANT UPDATE ({}) ON {} TO {}", column, table, APP)
    _run(cursor, "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}, {}", *both)
    for signature in OWNER_FUNCTIONS:
        _run(cursor, f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC, {{}}, {{}}", *both)
        _run(cursor, f"GRANT EXECUTE ON FUNCTION {signature} TO {{}}", APP)


def _limit(cursor: CursorWrapper) -> None:
    database = connection.settings_dict["NAME"]
    for name, value in LIMITS.items():
        _run(cursor, f"ALTER DATABASE {{}} SET {name} = '{value}'", database)
    for name, value in OWNER_LIMITS.items():
        # Every role may set its own defaults.
        _run(cursor, f"ALTER ROLE CURRENT_USER IN DATABASE {{}} SET {name} = '{value}'", database)


def _run(cursor: CursorWrapper, statement: LiteralString, *names: str) -> None:
    cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
