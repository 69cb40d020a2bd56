"""The database engine that DATABASES names. Django imports ``DatabaseWrapper`` from its module ``base``."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL without an extra statement at the start of each request (CONN_HEALTH_CHECKS)."""

    def is_usable(self) -> bool:
        """Whether the connection is still open.

        An idle connection receives no data. If data has arrived, it is the end of the connection, its reason or a
        notice of PostgreSQL. Only then Django's own check sends a statement.
        """
        if self.connection is None or self.connection.closed:
            return False
        arrived = select.poll()
        arrived.register(self.connection.fileno(), select.POLLIN)
        return not arrived.poll(0) or super().is_usable()
