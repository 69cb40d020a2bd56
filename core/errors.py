"""The tree of expected errors. Each leaf carries a stable code, data, and a sentence that a customer may read."""

from typing import Any, ClassVar

from django.utils.functional import Promise


class DomainError(Exception):
    """Something a rule or another person prevented. ``sentence`` says what happened and what to do, translated."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422

    def __init__(self, sentence: "str | Promise", **data: Any) -> None:
        super().__init__(self.code)
        self.sentence = sentence
        self.data = data

    def __str__(self) -> str:
        return str(self.sentence)


class Refused(DomainError):
    """A rule says no."""


class Conflict(DomainError):
    """Somebody was faster, or the page is older than the truth."""

    code = "conflict"
    status = 409


class Locked(Conflict):
    """Others work on the same thing at this moment. Nothing was changed, and the same request may be sent again."""

    status = 503


class Expired(DomainError):
    """The time to do this has run out."""

    code = "expired"
    status = 409


class TooMany(DomainError):
    """A limit against abuse was reached."""

    code = "too_many"
    status = 429
