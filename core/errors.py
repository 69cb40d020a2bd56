"""Expected errors. Each class has a stable code, an HTTP status, data, and a sentence that a customer may read."""

from typing import Any, ClassVar

from django.utils.functional import Promise


class DomainError(Exception):
    """A rule or another user prevented the action. ``sentence`` says what happened and what to do, translated."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422

    def __init__(self, sentence: "str | Promise", **data: Any) -> None:
        super().__init__(self.code)
        self.sentence = sentence
        self.data = data

    def __str__(self) -> str:
        return str(self.sentence)


class Refused(DomainError):
    """A rule forbids the action."""


class Conflict(DomainError):
    """Another user was faster, or the page shows outdated data."""

    code = "conflict"
    status = 409


class Locked(Conflict):
    """Another request holds the lock of the same rows. Nothing was changed; the client may repeat the request."""

    status = 503


class Expired(DomainError):
    """The time to do this has run out."""

    code = "expired"
    status = 409


class TooMany(DomainError):
    """A limit against abuse was reached."""

    code = "too_many"
    status = 429
