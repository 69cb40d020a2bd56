"""What a customer tells about themselves with a booking, each field once: its name, its words, how it is cleaned, and
the column of the booking that keeps it.

A field that is added here is asked for by the booking form, survives a page that is shown again, and is copied to the
booking, to the one that takes its time again, and to the one confirmed by mail.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Self

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.contact import emails, names, phones

Text = str | Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactField:
    """``column`` is its attribute on a booking. ``clean`` takes what was typed, what to call the field in sentences
    (``noun``, else ``label``) and the country of phone numbers typed without one.

    ``missing`` is the sentence when it is empty; None where it may be. ``is_private``: shown again only in the browser
    in which it was typed, because a link can be passed on. ``is_asked_always``: else only where the visit needs it.
    """

    name: str
    column: str
    label: Text
    clean: Callable[..., str]
    noun: Text = ""
    missing: Text | None = None
    help_text: Text = ""
    placeholder: Text = ""
    input_type: str = "text"
    is_private: bool = False
    is_asked_always: bool = True

    def cleaner(self, label: Text, region: str | None) -> Callable[[str], str]:
        return partial(self.clean, label=str(self.noun or label), region=region)


def _clean_name(text: str, *, label: str, region: str | None) -> str:
    return names.clean_name(text, label=label)


def _clean_email(text: str, *, label: str, region: str | None) -> str:
    return emails.clean_email(text)


def _clean_phone(text: str, *, label: str, region: str | None) -> str:
    return phones.clean_phone(text, region=region)


def _clean_visit_address(text: str, *, label: str, region: str | None) -> str:
    return names.clean_visit_address(text, label=label)


def _clean_note(text: str, *, label: str, region: str | None) -> str:
    return names.clean_paragraphs(text, limit=names.NOTE_LIMIT, label=label)


@dataclass(frozen=True, slots=True)
class Contact:
    """Who comes, in the customer's own words. ``visit_address`` only where the business comes to the customer."""

    name: str
    email: str
    phone: str
    note: str
    visit_address: str = ""

    # In the order in which the form asks.
    FIELDS: ClassVar[tuple[ContactField, ...]] = (
        ContactField(
            name="name",
            column="contact_name",
            label=_("Name"),
            clean=_clean_name,
            missing=_("Please tell us your name."),
        ),
        ContactField(
            name="email",
            column="contact_email",
            label=_("E-mail"),
            clean=_clean_email,
            missing=_("Please give an e-mail address; the confirmation goes there."),
            input_type="email",
        ),
        ContactField(
            name="phone",
            column="contact_phone",
            label=_("Phone"),
            clean=_clean_phone,
            missing=_("Please give a phone number, in case something changes on the day."),
            help_text=_("Only if something changes on the day."),
            input_type="tel",
            is_private=True,
        ),
        ContactField(
            name="visit_address",
            column="visit_address",
            label=_("Where should we come?"),
            noun=_("The address"),
            clean=_clean_visit_address,
            missing=_("Please tell us where to come."),
            input_type="paragraphs",
            is_private=True,
            is_asked_always=False,
        ),
        ContactField(
            name="note",
            column="customer_note",
            label=_("Note"),
            clean=_clean_note,
            placeholder=_("Anything we should know"),
            input_type="paragraphs",
            is_private=True,
        ),
    )

    @classmethod
    def of_form(cls, values: Mapping[str, Any]) -> Self:
        """Take the cleaned values of a form; a field that was not asked for is empty."""
        return cls(**{field.name: values.get(field.name, "") for field in cls.FIELDS})

    @classmethod
    def of_row(cls, row: object) -> Self:
        """Read what a booking keeps."""
        return cls(**{field.name: getattr(row, field.column) for field in cls.FIELDS})

    def columns(self) -> dict[str, str]:
        """Return the values by the columns of a booking."""
        return {field.column: getattr(self, field.name) for field in self.FIELDS}
