"""The engine that DATABASES names. Django looks for ``DatabaseWrapper`` in a module of this name."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL without a statement of its own before the first one of each request."""

    def is_usable(self) -> bool:
        """Whether the server still holds this connection.

        An idle connection receives nothing. If something has arrived, it is the end of the connection, the reason for
        it or a notice, and only then is a statement sent to find out.
        """
        if self.connection is None or self.connection.closed:
            return False
        arrived = select.poll()
        arrived.register(self.connection.fileno(), select.POLLIN)
        return not arrived.poll(0) or super().is_usable()
