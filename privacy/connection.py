"""The database connection that erases. Its role may change history, which the application's role may not."""

from django.db import DEFAULT_DB_ALIAS, connections

_ALIAS = "retention"


def erasing_connection() -> str:
    """Return the name of the connection for erasing: the one of the retention role, where the site has it."""
    return _ALIAS if _ALIAS in connections else DEFAULT_DB_ALIAS
