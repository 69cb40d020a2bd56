"""Reads of whole rows by a statement that is built once.

For the few places where building a query takes longer than running it; everywhere else the query set is the way.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, models

M = TypeVar("M", bound=models.Model)
_Converter = Callable[[Any, Any, Any], Any]


def read_rows(model: type[M], rest: str, parameters: Sequence[Any]) -> list[M]:
    """Return the rows of ``SELECT all columns FROM its table`` with ``rest`` (WHERE, ORDER BY, FOR …) after it."""
    names, converters, statement = _statement(model, rest)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    return [model.from_db(connection.alias, names, _converted(row, converters)) for row in found]


def read_rows_beside(
    model: type[M], extra: str, rest: str, parameters: Sequence[Any]
) -> list[tuple[M, tuple[Any, ...]]]:
    """Return rows as ``read_rows`` does, each beside the values of ``extra``: further columns of the same statement."""
    names, converters, statement = _statement(model, rest, extra)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    count = len(names)
    return [
        (model.from_db(connection.alias, names, _converted(row[:count], converters)), tuple(row[count:]))
        for row in found
    ]


def sql_values(values: Iterable[str]) -> str:
    """Write constants of ours as they stand after IN: ``('held', 'requested')``, always in the same order."""
    listed = "', '".join(sorted(map(str, values)))
    return f"('{listed}')"


def _converted(row: Sequence[Any], converters: Sequence[tuple[int, _Converter]]) -> list[Any]:
    values = list(row)
    for index, convert in converters:
        values[index] = convert(values[index], None, connection)
    return values


@lru_cache(maxsize=64)
def _statement(
    model: type[models.Model], rest: str, extra: str = ""
) -> tuple[list[str], list[tuple[int, _Converter]], str]:
    fields = list(model._meta.concrete_fields)
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    columns = ", ".join(f"{table}.{quote(str(field.column))}" for field in fields)
    converters = [(index, each) for index, field in enumerate(fields) for each in field.get_db_converters(connection)]
    if extra:
        columns = f"{columns}, {extra}"
    # Names come from our own models, ``rest`` and ``extra`` are constants of the caller, values are parameters.
    statement = f"SELECT {columns} FROM {table} {rest}"  # noqa: S608
    return [field.attname for field in fields], converters, statement
