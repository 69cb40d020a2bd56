"""SQL functions for searching customers regardless of how their names are written.

``openhours_folded`` turns any text into a-z, 0-9 and single spaces, starting with a space. It drops case, accents and
punctuation. It writes each byte of letters in other scripts as ``x`` and three octal digits. So the trigram index
serves all scripts, whatever the database's locale is, and the text has no characters with a meaning for LIKE.

The call of ``unaccent`` names its dictionary. Both functions are therefore immutable, as indexes and generated columns
require. Both extensions are trusted: the owner of the database may create them.
"""

from typing import Any

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

FOLDED = r"""
CREATE FUNCTION {schema}.openhours_folded(typed text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT ' ' || btrim(regexp_replace(replace(encode(convert_to(
        translate(lower({extensions}.unaccent('{extensions}.unaccent'::regdictionary, typed)), '''’`´', ''),
        'UTF8'), 'escape'), '\', 'x') COLLATE "C", '[^a-z0-9]+', ' ', 'g'))
$$
"""
CUSTOMER_TEXT = r"""
CREATE FUNCTION {schema}.openhours_customer_text(name text, email text, tags text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT {schema}.openhours_folded(name || ' ' || email || ' ' || array_to_string(tags, ' ')) $$
"""


def create_functions(apps: Any, schema_editor: Any) -> None:
    """Qualify all names with their schema, because PostgreSQL rebuilds indexes without a search path."""
    quote = schema_editor.connection.ops.quote_name
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_schema(), n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            " WHERE e.extname = 'unaccent'"
        )
        schema, extensions = map(quote, cursor.fetchone())
        for function in (FOLDED, CUSTOMER_TEXT):
            cursor.execute(function.format(schema=schema, extensions=extensions))


def drop_functions(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP FUNCTION openhours_customer_text(text, text, text[])")
    schema_editor.execute("DROP FUNCTION openhours_folded(text)")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0012_exempt_help_text"),
    ]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunPython(create_functions, drop_functions),
    ]
