"""Insert a row unless it is there already: one statement, no race, no aborted transaction."""

from collections.abc import Sequence

from django.db import connection, models
from psycopg import sql


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
