"""Inserts that Django's own would make slower or less safe: one statement each, built once per model.

Rows are saved as they are, without signals.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models

_Fields = list["models.Field[Any, Any]"]


def insert_rows(*rows: models.Model) -> None:
    """Insert unsaved rows of one model and set their primary keys."""
    if not rows:
        return
    keys = _keys_of_inserted(rows, ())
    for row, (key,) in zip(rows, keys, strict=True):
        _mark_saved(row, key)


def insert_unless_known(row: models.Model, *, unique: Sequence[str]) -> bool:
    """Insert an unsaved row; when ``unique`` (columns of a unique constraint) is taken, leave everything as it is.

    No race, and no aborted transaction. Sets the new primary key. False means the other row stays. Django's own
    ``ignore_conflicts`` cannot tell which happened.
    """
    keys = _keys_of_inserted([row], tuple(unique))
    if not keys:
        return False
    _mark_saved(row, keys[0][0])
    return True


def insert_missing(*rows: models.Model, unique: Sequence[str]) -> None:
    """Insert those rows of one model whose ``unique`` columns are not taken. Primary keys stay unset."""
    if rows:
        _keys_of_inserted(rows, tuple(unique))


def _keys_of_inserted(rows: Sequence[models.Model], unique: tuple[str, ...]) -> list[tuple[Any]]:
    fields, statement = _insert_statement(type(rows[0]), len(rows), unique)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        keys: list[tuple[Any]] = cursor.fetchall()
    return keys


@lru_cache(maxsize=256)
def _insert_statement(model: type[models.Model], row_count: int, unique: tuple[str, ...]) -> tuple[_Fields, str]:
    meta, quote = model._meta, connection.ops.quote_name
    fields = [field for field in meta.local_concrete_fields if not field.primary_key and not field.generated]
    columns = ", ".join(quote(str(field.column)) for field in fields)
    columns_of = {field.name: field.column for field in meta.local_concrete_fields}
    rows = ", ".join([f"({', '.join(['%s'] * len(fields))})"] * row_count)
    taken = ", ".join(quote(str(columns_of[name])) for name in unique)
    conflict = f"ON CONFLICT ({taken}) DO NOTHING" if taken else ""
    table, key = quote(meta.db_table), quote(str(meta.pk.column))
    # Names come from our own models, values are parameters.
    return fields, f"INSERT INTO {table} ({columns}) VALUES {rows} {conflict} RETURNING {key}"  # noqa: S608


def _mark_saved(row: models.Model, key: Any) -> None:
    row.pk = key
    row._state.adding = False
    row._state.db = connection.alias
