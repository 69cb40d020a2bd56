"""A circuit breaker: a process remembers that another server did not answer, so that not every request waits."""

import time


class Breaker:
    """Open for ``pause_seconds`` after a failure. Each process has its own."""

    def __init__(self, pause_seconds: float) -> None:
        self.pause_seconds = pause_seconds
        self._open_until = 0.0

    def is_open(self) -> bool:
        """Whether the server failed a moment ago and should not be asked."""
        return time.monotonic() < self._open_until

    def trip(self) -> None:
        self._open_until = time.monotonic() + self.pause_seconds

    def reset(self) -> None:
        self._open_until = 0.0
