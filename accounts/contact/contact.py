"""The contact fields of a booking.

Each field is defined once: its name, its label, how it is cleaned, and the booking's column that stores it.

A field added here appears in the booking form, is kept when the page is shown again, and is copied to the booking, to a
booking that takes the same time again, and to a booking confirmed by e-mail.
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
    """One contact field. ``column`` is the attribute of a booking that stores it.

    ``clean`` takes the typed text, the name of the field in error messages (``noun``, else ``label``) and the country
    of phone numbers typed without a country code.

    ``missing`` is the error for an empty field; None if it may be empty. ``is_private``: the value is shown again only
    in the browser in which the customer typed it, because a link can be passed on. ``is_asked_always``: if False, the
    form asks only when the visit needs the field.
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
    """The customer's own details. ``visit_address`` is set only if the business comes to the customer."""

    name: str
    email: str
    phone: str
    note: str
    visit_address: str = ""

    # In the order of the form.
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
        """Build from the cleaned values of a form. A field that the form did not ask for is empty."""
        return cls(**{field.name: values.get(field.name, "") for field in cls.FIELDS})

    @classmethod
    def of_row(cls, row: object) -> Self:
        """Build from the columns of a booking."""
        return cls(**{field.name: getattr(row, field.column) for field in cls.FIELDS})

    def columns(self) -> dict[str, str]:
        """Return the values by column of a booking."""
        return {field.column: getattr(self, field.name) for field in self.FIELDS}
