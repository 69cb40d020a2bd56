"""Inserts that Django's own would make slower or less safe. One statement each."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models
from psycopg import sql


def insert_rows(*rows: models.Model) -> None:
    """Insert unsaved rows of one model, and set their primary keys.

    As ``bulk_create``, without building the statement anew each time, which costs more than running it. No signals.
    """
    if not rows:
        return
    model = type(rows[0])
    fields, statement = _insert_statement(model, len(rows))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for row in rows for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        keys = cursor.fetchall()
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key
        row._state.adding = False
        row._state.db = connection.alias


@lru_cache(maxsize=256)
def _insert_statement(model: type[models.Model], row_count: int) -> tuple[list["models.Field[Any, Any]"], str]:
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not field.primary_key and not field.generated]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    rows = ", ".join([row] * row_count)
    # Names come from our own models, values are parameters.
    statement = f"INSERT INTO {quote(meta.db_table)} ({columns}) VALUES {rows} RETURNING {quote(str(meta.pk.column))}"  # noqa: S608
    return fields, statement


def insert_unless_known(row: models.Model, *, unique: Sequence[str]) -> bool:
    """Insert an unsaved row; when ``unique`` (columns of a unique constraint) is taken, leave everything as it is.

    Sets the new primary key. False means the other row stays. Django's own ``ignore_conflicts`` cannot tell which
    happened.
    """
    meta = row._meta
    columns = [field for field in meta.concrete_fields if not field.primary_key and not field.generated]
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in columns]
    conflict = [str(field.column) for field in columns if field.name in unique]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING RETURNING {}").format(
        sql.Identifier(meta.db_table),
        sql.SQL(", ").join([sql.Identifier(str(field.column)) for field in columns]),
        sql.SQL(", ").join([sql.Placeholder()] * len(columns)),
        sql.SQL(", ").join(map(sql.Identifier, conflict)),
        sql.Identifier(str(meta.pk.column)),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        inserted = cursor.fetchone()
    if inserted is None:
        return False
    row.pk = inserted[0]
    row._state.adding = False
    row._state.db = connection.alias
    return True
