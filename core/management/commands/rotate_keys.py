"""``manage.py rotate_keys``: encrypt all encrypted values with the first key of FIELD_KEYS.

Run it as the owner of the database, as ``grants``: history may only be changed by the owner. It is safe while the site
runs, and after an interruption it goes on where it was.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.utils import ProgrammingError

from core.rotation import BATCH, Counts, EncryptedColumn, encrypted_columns, examine, rotate

# PostgreSQL's code for a missing privilege.
_NO_RIGHT = "42501"


class Command(BaseCommand):
    help = "Encrypts all encrypted values with the first key of FIELD_KEYS. Run it as the owner of the database."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Only count values of older keys; the exit code is 1 if there are any."
        )
        parser.add_argument("--batch", type=int, default=BATCH, help="Rows that are changed in one transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        total = Counts()
        for column in encrypted_columns():
            counts = self._counts(column, options)
            if counts.rows:
                self._print(column, counts)
            total.rows += counts.rows
            total.renewed += counts.renewed
            total.left += counts.left
            total.unreadable += counts.unreadable
        if total.unreadable:
            raise CommandError(f"{total.unreadable} values fit no key of FIELD_KEYS. Add the key that is missing.")
        if total.left:
            raise CommandError(
                f"{total.left} of {total.rows} values have an older key."
                + ("" if options["check"] else " They are in use: run the command again.")
            )
        self.stdout.write(f"All {total.rows} values have the first key. {total.renewed} were encrypted anew.")

    def _counts(self, column: EncryptedColumn, options: dict[str, Any]) -> Counts:
        try:
            if options["check"]:
                return examine(column, batch=options["batch"])
            return rotate(column, batch=options["batch"])
        except ProgrammingError as error:
            if getattr(error.__cause__, "sqlstate", None) != _NO_RIGHT:
                raise
            raise CommandError(f"Only the owner of the database can do this: {error}") from error

    def _print(self, column: EncryptedColumn, counts: Counts) -> None:
        self.stdout.write(
            f"{column}: {counts.rows} values, {counts.renewed} encrypted anew, {counts.left} with an older key"
            + (f", {counts.unreadable} without a key" if counts.unreadable else "")
        )
