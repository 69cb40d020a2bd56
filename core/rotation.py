"""Encrypt stored values anew with the first key of FIELD_KEYS, beside processes that go on reading and writing.

A value may be a whole column (``EncryptedTextField``) or a text inside a JSON document. A row is replaced only while it
still has the value that was read, so nothing that is written meanwhile is lost. A row that another transaction has
locked is left for the next round. Nothing is stored about the progress: each value says by which key it was encrypted.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models
from psycopg import sql

from core.fields import EncryptedTextField, NoKeyFits, renewed

BATCH = 500
ROUNDS = 5
_PAUSE_SECONDS = 1.0
# Every Fernet token begins like this, and none has a character that JSON escapes.
_TOKEN_IN_JSON = re.compile(r'"(gAAAA[\w-]+={0,2})"', re.ASCII)


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """``key`` is the primary key's column, ``key_type`` and ``type`` are the PostgreSQL types."""

    table: str
    name: str
    type: str
    key: str
    key_type: str

    def __str__(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def is_json(self) -> bool:
        return self.type == "jsonb"


@dataclass(slots=True)
class Counts:
    """Rows with encrypted values. ``old`` had an older key; ``left`` still have it. No key decrypts ``unreadable``."""

    rows: int = 0
    old: int = 0
    renewed: int = 0
    left: int = 0
    unreadable: int = 0


def encrypted_columns() -> list[EncryptedColumn]:
    """Return every column that may have encrypted values: our encrypted fields, and all JSON documents."""
    return [
        EncryptedColumn(
            table=model._meta.db_table,
            name=str(field.column),
            type=str(field.db_type(connection)),
            key=str(model._meta.pk.column),
            key_type=str(model._meta.pk.rel_db_type(connection)),
        )
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if isinstance(field, (EncryptedTextField, models.JSONField))
    ]


def examine(column: EncryptedColumn, *, batch: int = BATCH) -> Counts:
    """Count the values of a column by their key. Reads only."""
    counts = Counts()
    for rows in _batches(column, batch):
        _stale(column, rows, counts)
    counts.left = counts.old
    return counts


def rotate(column: EncryptedColumn, *, batch: int = BATCH, pause_seconds: float = _PAUSE_SECONDS) -> Counts:
    """Encrypt the old values of a column anew, in batches by primary key. Each batch is a transaction of its own.

    Goes over the column again, ``ROUNDS`` times at most, while rows were locked or have changed since they were read.
    """
    counts = Counts()
    for number in range(ROUNDS):
        if number:
            time.sleep(pause_seconds)
        found = Counts()
        for rows in _batches(column, batch):
            stale = _stale(column, rows, found)
            found.renewed += _replace(column, stale) if stale else 0
        counts.rows, counts.unreadable = found.rows, found.unreadable
        counts.old = max(counts.old, found.old)
        counts.renewed += found.renewed
        counts.left = found.old - found.renewed
        if not counts.left:
            break
    return counts


def _batches(column: EncryptedColumn, batch: int) -> Iterator[list[tuple[Any, str]]]:
    """Yield (primary key, stored text) of the rows with encrypted values, in the order of the key."""
    has_some = sql.SQL("strpos({name}::text, '\"gAAAA') > 0" if column.is_json else "{name} <> ''").format(
        name=sql.Identifier(column.name)
    )
    select = sql.SQL("SELECT {key}, {name}::text FROM {table} WHERE {has_some} {after} ORDER BY {key} LIMIT %s")
    last: list[Any] = []
    while True:
        after = sql.SQL("AND {} > %s").format(sql.Identifier(column.key)) if last else sql.SQL("")
        statement = select.format(
            key=sql.Identifier(column.key),
            name=sql.Identifier(column.name),
            table=sql.Identifier(column.table),
            has_some=has_some,
            after=after,
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [*last, batch])
            rows = cursor.fetchall()
        if not rows:
            return
        yield rows
        last = [rows[-1][0]]


def _stale(column: EncryptedColumn, rows: Sequence[tuple[Any, str]], counts: Counts) -> list[tuple[Any, str, str]]:
    """Return (primary key, stored text, new text) of the rows with an older key, and add to ``counts``."""
    stale = []
    for key, stored in rows:
        counts.rows += 1
        try:
            new = _renewed_document(stored) if column.is_json else renewed(stored)
        except NoKeyFits:
            counts.unreadable += 1
            continue
        if new != stored:
            counts.old += 1
            stale.append((key, stored, new))
    return stale


def _renewed_document(text: str) -> str:
    """Renew each token in a JSON text. A text that only looks like a token stays."""

    def of(found: re.Match[str]) -> str:
        try:
            return f'"{renewed(found[1])}"'
        except NoKeyFits:
            return found[0]

    return _TOKEN_IN_JSON.sub(of, text)


def _replace(column: EncryptedColumn, stale: Sequence[tuple[Any, str, str]]) -> int:
    """Write the new texts of the rows that are free and still have the old ones. Return how many were."""
    statement = sql.SQL(
        "WITH wanted AS (SELECT * FROM unnest(%s::{key_type}[], %s::text[], %s::text[]) AS given (key, old, new)),"
        " free AS (SELECT mine.{key} AS key FROM {table} mine JOIN wanted ON mine.{key} = wanted.key"
        " WHERE mine.{name}::text = wanted.old ORDER BY mine.{key} FOR UPDATE OF mine SKIP LOCKED)"
        " UPDATE {table} mine SET {name} = wanted.new::{type} FROM wanted JOIN free ON free.key = wanted.key"
        " WHERE mine.{key} = wanted.key"
    ).format(
        key_type=sql.SQL(column.key_type),
        type=sql.SQL(column.type),
        key=sql.Identifier(column.key),
        table=sql.Identifier(column.table),
        name=sql.Identifier(column.name),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(each) for each in zip(*stale, strict=True)])
        return int(cursor.rowcount)
