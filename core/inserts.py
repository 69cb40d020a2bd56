"""Inserts that are faster or safer than Django's: one statement each, whose text is built once per model.

Rows are saved without signals. Several rows of one model are passed as one array per column, so the statement has the
same few parameters for any number of rows. psycopg caches parsed statements with up to 50 parameters, and parsing a
longer one takes more time than running it.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connection, models

_Fields = list["models.Field[Any, Any]"]


def insert_rows(*rows: models.Model) -> None:
    """Insert unsaved rows, of one or several models, in one statement and set their primary keys.

    No row may refer to another one of them.
    """
    if not rows:
        return
    groups: dict[type[models.Model], list[models.Model]] = {}
    for row in rows:
        groups.setdefault(type(row), []).append(row)
    shape = tuple((model, len(of_model) > 1) for model, of_model in groups.items())
    values = [value for of_model in groups.values() for value in _values(of_model, ())]
    with connection.cursor() as cursor:
        cursor.execute(_insert_statement(shape), values)
        keys = cursor.fetchone()
    for of_model, keys_of_model in zip(groups.values(), keys, strict=True):
        for row, key in zip(of_model, keys_of_model, strict=True):
            _mark_saved(row, key)


def insert_rows_of(parent: models.Model, *rows: models.Model, column: str) -> None:
    """Insert an unsaved row and unsaved rows of one model that refer to it by ``column``, in one statement.

    Only the primary key of ``parent`` is set.
    """
    if not rows:
        insert_rows(parent)
        return
    statement = _insert_under_statement(type(parent), type(rows[0]), len(rows) > 1, column)
    with connection.cursor() as cursor:
        cursor.execute(statement, [*_values([parent], ()), *_values(rows, (column,))])
        (key,) = cursor.fetchone()
    _mark_saved(parent, key)


def insert_unless_known(row: models.Model, *, unique: Sequence[str]) -> bool:
    """Insert an unsaved row, set its primary key and return True, unless a row with the same ``unique`` columns exists.

    ``unique`` names the columns of a unique constraint. If they are taken, nothing changes and the result is False.
    There is no race and no aborted transaction. Django's ``ignore_conflicts`` does not tell which of the two happened.
    """
    keys = _keys_unless_known([row], tuple(unique))
    if not keys:
        return False
    _mark_saved(row, keys[0][0])
    return True


def insert_missing(*rows: models.Model, unique: Sequence[str]) -> None:
    """Insert the rows of one model whose ``unique`` columns are not taken yet. Does not set primary keys."""
    if rows:
        _keys_unless_known(rows, tuple(unique))


def _keys_unless_known(rows: Sequence[models.Model], unique: tuple[str, ...]) -> list[tuple[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_unless_known_statement(type(rows[0]), len(rows) > 1, unique), _values(rows, ()))
        keys: list[tuple[Any]] = cursor.fetchall()
    return keys


def insert_row_if(condition: str, parameters: Sequence[Any], row: models.Model) -> bool:
    """Insert an unsaved row and set its primary key if ``condition``, a statement with RETURNING, returned a row.

    False means that it returned none. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(_insert_if_statement(condition, type(row)), [*parameters, *_values([row], ())])
        key = cursor.fetchone()
    if key is None:
        return False
    _mark_saved(row, key[0])
    return True


@lru_cache(maxsize=64)
def _insert_into(model: type[models.Model], *, are_many: bool = False, without: tuple[str, ...] = ()) -> str:
    """Return ``INSERT INTO … VALUES (…)``, or its form with one array for each column where ``are_many``.

    A column named in ``without`` takes the primary key of the only row of ``parent``, which precedes the statement.
    """
    quote, fields = connection.ops.quote_name, _fields(model, without)
    columns = ", ".join([*(quote(name) for name in without), *(quote(str(field.column)) for field in fields)])
    parents = ["(SELECT id FROM parent)"] * len(without)
    if are_many:
        arrays = ", ".join(f"%s::{_type(field)}[]" for field in fields)
        source = f"SELECT {', '.join([*parents, 'given.*'])} FROM unnest({arrays}) AS given"  # noqa: S608
    else:
        source = f"VALUES ({', '.join([*parents, *['%s'] * len(fields)])})"
    # Names come from our own models, values are parameters.
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) {source}"


@lru_cache(maxsize=64)
def _insert_statement(shape: tuple[tuple[type[models.Model], bool], ...]) -> str:
    inserts = [
        f"made{number} AS ({_insert_into(model, are_many=are_many)} RETURNING {_key(model)} AS id)"
        for number, (model, are_many) in enumerate(shape)
    ]
    keys = [f"(SELECT array_agg(id ORDER BY id) FROM made{number})" for number in range(len(shape))]  # noqa: S608
    return f"WITH {', '.join(inserts)} SELECT {', '.join(keys)}"


@lru_cache(maxsize=64)
def _insert_under_statement(parent: type[models.Model], model: type[models.Model], are_many: bool, column: str) -> str:
    of_parent = f"{_insert_into(parent)} RETURNING {_key(parent)} AS id"
    of_rows = _insert_into(model, are_many=are_many, without=(column,))
    return f"WITH parent AS ({of_parent}), made AS ({of_rows}) SELECT id FROM parent"  # noqa: S608


@lru_cache(maxsize=64)
def _insert_if_statement(condition: str, model: type[models.Model]) -> str:
    quote, fields = connection.ops.quote_name, _fields(model, ())
    columns = ", ".join(quote(str(field.column)) for field in fields)
    # Parameters need explicit types here: PostgreSQL infers them from the columns only after VALUES.
    values = ", ".join(f"%s::{_type(field)}" for field in fields)
    return (
        f"WITH done AS ({condition}) INSERT INTO {quote(model._meta.db_table)} ({columns}) "  # noqa: S608
        f"SELECT {values} FROM done RETURNING {_key(model)}"
    )


@lru_cache(maxsize=64)
def _unless_known_statement(model: type[models.Model], are_many: bool, unique: tuple[str, ...]) -> str:
    columns_of = {field.name: field.column for field in model._meta.local_concrete_fields}
    taken = ", ".join(connection.ops.quote_name(str(columns_of[name])) for name in unique)
    return f"{_insert_into(model, are_many=are_many)} ON CONFLICT ({taken}) DO NOTHING RETURNING {_key(model)}"


def _values(rows: Sequence[models.Model], without: tuple[str, ...]) -> list[Any]:
    fields = _fields(type(rows[0]), without)
    if len(rows) == 1:
        return [_value(rows[0], field) for field in fields]
    return [[_value(row, field) for row in rows] for field in fields]


def _value(row: models.Model, field: "models.Field[Any, Any]") -> Any:
    return field.get_db_prep_save(field.pre_save(row, True), connection)


@lru_cache(maxsize=64)
def _fields(model: type[models.Model], without: tuple[str, ...]) -> _Fields:
    return [
        field
        for field in model._meta.local_concrete_fields
        if not field.primary_key and not field.generated and field.column not in without
    ]


def _type(field: "models.Field[Any, Any]") -> str:
    """Return the column type without its length: a cast to ``varchar(20)`` would truncate, but the insert refuses."""
    return str(field.db_type(connection)).partition("(")[0]


def _key(model: type[models.Model]) -> str:
    return connection.ops.quote_name(str(model._meta.pk.column))


def _mark_saved(row: models.Model, key: Any) -> None:
    row.pk = key
    row._state.adding = False
    row._state.db = connection.alias
