"""Declarations of personal data: which columns hold it, why it is kept, and how it is exported and erased.

Each app declares its columns in its module ``privacy``; ``settings.PERSONAL_DATA`` lists these modules. Erasing runs
the declarations in their order. No domain words: a person is known by ids, references and pseudonyms.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class DataKind(TextChoices):
    """Classes of personal data. Each has its own time after which it is deleted."""

    CONTACT = "contact", _("contact details")
    ANSWERS = "answers", _("what customers write")
    NOTES = "notes", _("notes of staff")
    MESSAGES = "messages", _("messages")
    PAYMENTS = "payments", _("payments and receipts")
    LOGS = "logs", _("histories and logs")
    SIGN_IN = "sign_in", _("sign-in")
    STAFF = "staff", _("the team")


class Erasing(TextChoices):
    """What erasing does with a column."""

    DELETE = "delete", _("the row is deleted")
    BLANK = "blank", _("emptied")
    KEEP = "keep", _("kept")


@dataclass(frozen=True, slots=True)
class Person:
    """The person whose data is exported or erased.

    ``merged_ids`` are customers' records that were merged into this one. ``refs`` are the references of what belongs to
    them (``booking:17``). ``pseudonyms`` are the hashes of mailboxes and phone numbers that no other record has.
    Without ``customer_id`` only data of ``refs`` is meant, not of the person.
    """

    customer_id: int | None = None
    user_id: int | None = None
    refs: tuple[str, ...] = ()
    pseudonyms: tuple[str, ...] = ()
    merged_ids: tuple[int, ...] = ()

    @property
    def customer_ids(self) -> tuple[int, ...]:
        return () if self.customer_id is None else (self.customer_id, *self.merged_ids)

    @property
    def user_ids(self) -> tuple[int, ...]:
        return () if self.user_id is None else (self.user_id,)

    @property
    def person_refs(self) -> tuple[str, ...]:
        return tuple(f"customer:{each}" for each in self.customer_ids)


@dataclass(frozen=True, slots=True)
class Held:
    """Columns of one model that hold personal data, with one reason and one way of erasing.

    ``rows`` returns the rows of a person; None for data that the erasure of a customer does not touch. ``values``
    replaces the empty text for columns that need another value. PostgreSQL computes the ``generated`` columns from
    others. ``export`` is the section of the export that discloses the columns; empty if ``note`` says why none does.
    ``note`` also says why data is kept.
    """

    model: str
    columns: tuple[str, ...]
    what: Text
    why: Text
    kind: DataKind
    erasing: Erasing
    rows: Callable[[Person], QuerySet[Any]] | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    generated: tuple[str, ...] = ()
    export: str = ""
    note: Text = ""

    @property
    def new_values(self) -> dict[str, Any]:
        written = [each for each in self.columns if each not in self.generated]
        return {**dict.fromkeys(written, ""), **self.values}


def declarations() -> list[Held]:
    """Return the declarations of all apps, in the order of PERSONAL_DATA."""
    return [held for path in settings.PERSONAL_DATA for held in import_module(path).HELD]


def columns_without_personal_data() -> dict[str, tuple[str, ...]]:
    """Return the columns that each app lists as not personal, by model."""
    return {model: columns for path in settings.PERSONAL_DATA for model, columns in _not_personal(path).items()}


def erase(held: Iterable[Held], person: Person, *, using: str, kinds: Collection[DataKind] | None = None) -> None:
    """Delete or empty the declared columns of a person, of all kinds or of ``kinds``. The caller has the transaction.

    ``using`` is the database connection. Harmless when repeated.
    """
    for each in held:
        if each.rows is None or each.erasing is Erasing.KEEP or (kinds is not None and each.kind not in kinds):
            continue
        rows = each.rows(person).using(using)
        if each.erasing is Erasing.DELETE:
            rows.delete()
        else:
            rows.update(**each.new_values)


def iso(moment: datetime | None) -> str | None:
    """Return an instant as exports write it: ISO 8601 in UTC."""
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _not_personal(path: str) -> Mapping[str, tuple[str, ...]]:
    found: Mapping[str, tuple[str, ...]] = import_module(path).NOT_PERSONAL
    return found
