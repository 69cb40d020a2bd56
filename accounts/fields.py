"""Columns that find people by a phone number that is stored encrypted."""

from typing import TYPE_CHECKING, Any

from django.db import models

from accounts.contact.same_phones import phone_end_hash, phone_hash

if TYPE_CHECKING:
    _CharField = models.CharField[Any, Any]
else:
    _CharField = models.CharField


class PhoneHashField(_CharField):
    """The pseudonym (``phone_hash``) of the number in the column ``of``, computed whenever the row is saved.

    An UPDATE that does not go through ``save`` has to set it as well.
    """

    def __init__(self, *, of: str, **options: Any) -> None:
        self.of = of
        super().__init__(**{"max_length": 64, "blank": True, "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = self.pseudonym(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value

    def pseudonym(self, number: str) -> str:
        return phone_hash(number)


class PhoneEndHashField(PhoneHashField):
    """The pseudonym (``phone_end_hash``) of the last four digits of the number in the column ``of``.

    Its database default lets the previous release write rows while a deployment is under way.
    """

    def __init__(self, *, of: str, **options: Any) -> None:
        super().__init__(of=of, **{"default": "", "db_default": "", **options})

    def pseudonym(self, number: str) -> str:
        return phone_end_hash(number)
