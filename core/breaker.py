"""A circuit breaker: a process remembers that a server did not answer, so that not every request waits for it."""

import time


class Breaker:
    """Open for ``pause_seconds`` after ``trip``. Its state belongs to one process."""

    def __init__(self, pause_seconds: float) -> None:
        self.pause_seconds = pause_seconds
        self._open_until = 0.0

    def is_open(self) -> bool:
        """Whether the server failed a moment ago and should not be called."""
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        self._open_until = time.monotonic() + self.pause_seconds

    def reset(self) -> None:
        self._open_until = 0.0
