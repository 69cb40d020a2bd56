"""The only way in which the application deletes rows of the access log: old ones, by a function of the owner.

``manage.py grants`` lets the application call it. Nothing of the last six months is deleted, whatever is asked for.
"""

from typing import Any

from django.db import migrations

FUNCTION = r"""
CREATE FUNCTION {schema}.openhours_delete_old_access(before timestamptz, most integer) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH old AS (
        SELECT id FROM {schema}.accounts_accesslog
        WHERE at < least(before, now() - interval '6 months') ORDER BY at, id LIMIT most FOR UPDATE SKIP LOCKED
    ), gone AS (DELETE FROM {schema}.accounts_accesslog WHERE id IN (SELECT id FROM old) RETURNING 1)
    SELECT count(*)::integer FROM gone
$$
"""


def create_function(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        cursor.execute(FUNCTION.format(schema=schema_editor.connection.ops.quote_name(schema)))
        cursor.execute("REVOKE ALL ON FUNCTION openhours_delete_old_access(timestamptz, integer) FROM PUBLIC")


def drop_function(apps: Any, schema_editor: Any) -> None:
    schema_editor.execute("DROP FUNCTION openhours_delete_old_access(timestamptz, integer)")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_access_log"),
    ]

    operations = [
        migrations.RunPython(create_function, drop_function),
    ]
