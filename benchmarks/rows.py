"""The floor of a booking: the rows that one real hold and one real confirmation wrote, written again and again.

What they wrote is read from the tables, so the floor follows whatever a booking comes to write. Only what must differ
is made anew each time: values of unique columns, the claimed hour, and references among the new rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.db import connection
from psycopg import RawCursor

_SEQUENCE = "bench_floor"
_NEXT, _SAME = f"nextval('{_SEQUENCE}')", f"currval('{_SEQUENCE}')"
# A letter that no number in hexadecimal has, and five places: fits the shortest unique column.
_FRESH_TEXT = f"'Z' || lpad(to_hex({_NEXT}), 5, '0')"
_FRESH_HOUR = (
    f"tstzrange(timestamptz '2040-01-01' + {_NEXT} * interval '1 hour',"
    f" timestamptz '2040-01-01' + ({_SAME} + 1) * interval '1 hour')"
)

_COLUMNS = """
SELECT c.relname, a.attname, a.attnum, format_type(a.atttypid, NULL),
    EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND (i.indisunique OR i.indisexclusion)
        AND NOT i.indisprimary AND a.attnum = ANY(i.indkey)),
    (SELECT f.confrelid::regclass::text FROM pg_constraint f
        WHERE f.contype = 'f' AND f.conrelid = c.oid AND f.conkey = ARRAY[a.attnum])
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attgenerated = '' AND EXISTS (
    SELECT 1 FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attname = 'id' AND k.attidentity <> '')
ORDER BY 1, 3
"""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was read, in PostgreSQL's own text form."""

    text: str | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """An expression that gives another value each time."""

    sql: str


@dataclass(frozen=True, slots=True)
class KeyOf:
    """The key of the row of this table that was written just before."""

    table: str


Value = Given | Fresh | KeyOf
Rows = Mapping[str, Mapping[int, Mapping[str, str | None]]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One INSERT of rows into a table, or with ``is_update`` one UPDATE of the row that was written before.

    ``is_lost_easily``: from here on the commit need not wait for the disk, as with a real hold.
    """

    table: str
    rows: tuple[Mapping[str, Value], ...]
    is_update: bool = False
    is_lost_easily: bool = False

    def sql(self, write: Callable[[Value], str]) -> str:
        """Return the text, in which ``write`` writes each value. It returns the key of one of its rows."""
        returned = "id, set_config('synchronous_commit', 'off', true)" if self.is_lost_easily else "id"
        if self.is_update:
            changes = ", ".join(f"{name} = {write(value)}" for name, value in self.rows[0].items())
            return f"UPDATE {self.table} SET {changes} WHERE id = {write(KeyOf(self.table))} RETURNING {returned}"
        rows = ", ".join(f"({', '.join(map(write, row.values()))})" for row in self.rows)
        return f"INSERT INTO {self.table} ({', '.join(self.rows[0])}) VALUES {rows} RETURNING {returned}"


Floor = tuple[list[Statement], list[Statement]]


def floor_of(hold: Callable[[], Any], confirm: Callable[[Any], Any]) -> Floor:
    """Hold and confirm once, and return the statements that write the same rows: of the hold, of the confirmation."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SEQUENCE IF NOT EXISTS {_SEQUENCE}")
        cursor.execute(f"GRANT USAGE ON SEQUENCE {_SEQUENCE} TO PUBLIC")
        cursor.execute(_COLUMNS)
        columns = cursor.fetchall()
    tables = _Tables([_Column(*column) for column in columns])
    before = tables.last_keys()
    held = hold()
    after_hold = tables.rows_after(before)
    confirm(held)
    after_confirm = tables.rows_after(before)
    first = tables.inserts(after_hold, after_hold)
    new = {
        table: {key: row for key, row in rows.items() if key not in after_hold.get(table, {})}
        for table, rows in after_confirm.items()
    }
    second = tables.inserts(new, after_confirm) + tables.updates(after_hold, after_confirm)
    first[0] = replace(first[0], is_lost_easily=True)
    return first, second


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with numbered parameters, and what they are: texts, or names of tables whose new key is meant."""

    table: str
    sql: str
    parameters: tuple[Given | KeyOf, ...]


def prepared(floor: Floor) -> list[list[Prepared]]:
    """Return the statements as ``run`` wants them."""
    return [[_prepared(each) for each in statements] for statements in floor]


def run(transactions: list[list[Prepared]]) -> None:
    """Write the rows once, in as many transactions, with nothing between us and the driver."""
    raw = connection.connection
    keys: dict[str, int] = {}
    for statements in transactions:
        with raw.transaction(), RawCursor(raw) as cursor:
            for each in statements:
                values = [given.text if isinstance(given, Given) else keys[given.table] for given in each.parameters]
                cursor.execute(each.sql, values, prepare=True)
                keys[each.table] = cursor.fetchone()[0]


def pgbench_script(floor: Floor) -> str:
    """Return the same two transactions for ``pgbench``."""
    lines = []
    for statements in floor:
        lines += ["BEGIN;", *(f"{each.sql(_literal)}{_end(each)}" for each in statements), "COMMIT;"]
    return "\n".join(lines) + "\n"


def _prepared(statement: Statement) -> Prepared:
    parameters: list[Given | KeyOf] = []

    def write(value: Value) -> str:
        if isinstance(value, Fresh):
            return value.sql
        parameters.append(value)
        return f"${len(parameters)}"

    return Prepared(statement.table, statement.sql(write), tuple(parameters))


def _literal(value: Value) -> str:
    """Write a value for pgbench, which takes a colon before a letter for a variable, even inside quotes."""
    match value:
        case Fresh(sql):
            return sql
        case KeyOf(table):
            return f":{table}_id"
        case Given(None):
            return "NULL"
        case Given(text):
            quoted = str(text).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\072")
            return f"E'{quoted}'"


def _end(statement: Statement) -> str:
    return f" \\gset {statement.table}_" if len(statement.rows) == 1 else ";"


@dataclass(frozen=True, slots=True)
class _Column:
    table: str
    name: str
    number: int
    type: str
    is_unique: bool
    refers_to: str | None


class _Tables:
    """The tables that a booking may write to: all that number their rows."""

    def __init__(self, columns: Sequence[_Column]) -> None:
        self.columns = {
            table: [each for each in of_table if each.name != "id"]
            for table, of_table in groupby(columns, lambda each: each.table)
        }

    def last_keys(self) -> dict[str, int]:
        with connection.cursor() as cursor:
            found = {}
            for table in self.columns:
                cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
                found[table] = cursor.fetchone()[0]
        return found

    def rows_after(self, keys: Mapping[str, int]) -> Rows:
        """Return what was written since, by table and key, each value in PostgreSQL's own text form."""
        found = {}
        with connection.cursor() as cursor:
            for table, columns in self.columns.items():
                texts = ", ".join(f'"{column.name}"::text' for column in columns)
                cursor.execute(f"SELECT id, {texts} FROM {table} WHERE id > %s ORDER BY id", [keys[table]])
                names = [column.name for column in columns]
                if rows := {key: dict(zip(names, values, strict=True)) for key, *values in cursor.fetchall()}:
                    found[table] = rows
        return found

    def inserts(self, rows: Rows, known: Rows) -> list[Statement]:
        """Return one INSERT for each table, those first that others refer to."""
        todo, done = {table: of_table for table, of_table in rows.items() if of_table}, list[Statement]()
        while todo:
            table = next(each for each in todo if not self._parents(each) & (todo.keys() - {each}))
            values = [self._values(table, row, known) for row in todo.pop(table).values()]
            done.append(Statement(table, tuple(values)))
        return done

    def updates(self, before: Rows, after: Rows) -> list[Statement]:
        """Return one UPDATE for each row whose values have changed."""
        done = []
        for table, rows in before.items():
            for key, row in rows.items():
                changed = {name: value for name, value in after[table][key].items() if value != row[name]}
                if changed:
                    done.append(Statement(table, (self._values(table, changed, after),), is_update=True))
        return done

    def _parents(self, table: str) -> set[str]:
        return {column.refers_to for column in self.columns[table] if column.refers_to}

    def _values(self, table: str, row: Mapping[str, str | None], known: Rows) -> dict[str, Value]:
        columns = {column.name: column for column in self.columns[table]}
        return {f'"{name}"': self._value(columns[name], value, known) for name, value in row.items()}

    def _value(self, column: _Column, value: str | None, known: Rows) -> Value:
        if not value:
            return Given(value)
        if column.refers_to:
            return KeyOf(column.refers_to) if int(value) in known.get(column.refers_to, {}) else Given(value)
        if column.is_unique and column.type in {"text", "character varying", "character"}:
            return Fresh(_FRESH_TEXT)
        return Fresh(_FRESH_HOUR) if column.is_unique and column.type == "tstzrange" else Given(value)
