"""Reads of whole rows by SQL that is built once per model.

Only for the few places where building a query takes longer than running it. Use query sets everywhere else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    """Return rows as ``read_rows`` does, each with a tuple of the values of ``extra``, further columns in SQL."""
    names, converters, statement = _statement(model, rest, extra)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    count = len(names)
    return [
        (model.from_db(connection.alias, names, _converted(row[:count], converters)), tuple(row[count:]))
        for row in found
    ]


def read_joined(model: type[M], links: tuple[str, ...], rest: str, parameters: Sequence[Any]) -> list[M]:
    """Return rows as ``read_rows`` does, with their related rows, as ``select_related`` reads them.

    ``links`` are names of foreign keys, and of one-to-one relations in either direction. A parent precedes its
    children: "location", then "location__business".
    """
    nodes, statement = _joined_statement(model, links, rest)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found = cursor.fetchall()
    return [_linked(nodes, row) for row in found]


def set_children(parent: models.Model, name: str, rows: Sequence[models.Model]) -> None:
    """Cache ``rows`` as all children of ``parent`` under the relation ``name``, as ``prefetch_related`` does."""
    manager = getattr(parent, name)
    children = manager.get_queryset()
    children._result_cache, children._prefetch_done = list(rows), True
    for row in rows:
        manager.field.set_cached_value(row, parent)
    parent.__dict__.setdefault("_prefetched_objects_cache", {})[name] = children


def sql_values(values: Iterable[str]) -> str:
    """Write constants as a sorted SQL list for IN: ``('held', 'requested')``. Never pass user input: no escaping."""
    listed = "', '".join(sorted(map(str, values)))
    return f"('{listed}')"


@dataclass(frozen=True, slots=True)
class _Node:
    """Columns ``start`` to ``end`` hold a row of ``model``, which is the value of ``link`` of the parent node's row."""

    model: type[models.Model]
    start: int
    end: int
    names: list[str]
    converters: list[tuple[int, _Converter]]
    parent: str
    link: Any


def _linked(nodes: Mapping[str, _Node], row: Sequence[Any]) -> Any:
    made: dict[str, models.Model | None] = {}
    for path, node in nodes.items():
        values = row[node.start : node.end]
        # The primary key is the first column; NULL means that there is no related row.
        made[path] = (
            None
            if values[0] is None
            else node.model.from_db(connection.alias, node.names, _converted(values, node.converters))
        )
        parent = made[node.parent] if path else None
        if parent is not None:
            node.link.set_cached_value(parent, made[path])
            if made[path] is not None and node.link.one_to_one:
                node.link.remote_field.set_cached_value(made[path], parent)
    return made[""]


@lru_cache(maxsize=64)
def _joined_statement(model: type[models.Model], links: tuple[str, ...], rest: str) -> tuple[dict[str, _Node], str]:
    quote = connection.ops.quote_name
    nodes: dict[str, _Node] = {}
    columns: list[str] = []
    joins: list[str] = []
    for path in ("", *links):
        parent, _, name = path.rpartition("__")
        link: Any = nodes[parent].model._meta.get_field(name) if path else None
        of: Any = link.related_model if path else model
        table, above = quote(path or model._meta.db_table), quote(parent or model._meta.db_table)
        if path:
            # The key column is in the parent's table, or in the related table for a reverse relation.
            here, there = (link.column, of._meta.pk.column) if link.concrete else ("id", link.field.column)
            joined = f"{quote(of._meta.db_table)} {table}"
            joins.append(f"LEFT JOIN {joined} ON {table}.{quote(there)} = {above}.{quote(here)}")
        names, converters, own = _columns(of, table)
        nodes[path] = _Node(of, len(columns), len(columns) + len(own), names, converters, parent, link)
        columns += own
    # Safe, as in ``_statement``: names come from our own models, ``rest`` is a constant of the caller.
    statement = f"SELECT {', '.join(columns)} FROM {quote(model._meta.db_table)} {' '.join(joins)} {rest}"  # noqa: S608
    return nodes, statement


def _converted(row: Sequence[Any], converters: Sequence[tuple[int, _Converter]]) -> list[Any]:
    values = list(row)
    for index, convert in converters:
        values[index] = convert(values[index], None, connection)
    return values


@lru_cache(maxsize=64)
def _statement(
    model: type[models.Model], rest: str, extra: str = ""
) -> tuple[list[str], list[tuple[int, _Converter]], str]:
    table = connection.ops.quote_name(model._meta.db_table)
    names, converters, columns = _columns(model, table)
    # Names come from our own models, ``rest`` and ``extra`` are constants of the caller, values are parameters.
    selected = ", ".join([*columns, extra] if extra else columns)
    return names, converters, f"SELECT {selected} FROM {table} {rest}"  # noqa: S608


def _columns(model: type[models.Model], table: str) -> tuple[list[str], list[tuple[int, _Converter]], list[str]]:
    """Return attribute names, converters by position, and quoted columns of a model, the primary key first."""
    fields = sorted(model._meta.concrete_fields, key=lambda field: not field.primary_key)
    converters = [(index, each) for index, field in enumerate(fields) for each in field.get_db_converters(connection)]
    columns = [f"{table}.{connection.ops.quote_name(str(field.column))}" for field in fields]
    return [field.attname for field in fields], converters, columns
