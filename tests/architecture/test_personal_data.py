"""Every column that could hold personal data is declared: what it is, why it is kept, how it is exported and erased."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.personal_data import DataKind, Erasing, Held, columns_without_personal_data, declarations

# Names, words, pseudonyms, addresses, documents and files are of these types.
PERSONAL_TYPES = (
    *(models.CharField, models.TextField, models.JSONField, models.FileField, models.BinaryField),
    *(models.GenericIPAddressField, ArrayField),
)


def candidates() -> Iterator[tuple[str, str]]:
    """Every column of a type that can hold personal data, unless it holds one of a few choices."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            stored = field.output_field if isinstance(field, models.GeneratedField) else field
            if isinstance(stored, PERSONAL_TYPES) and not field.choices:
                yield model._meta.label, field.name


def declared() -> set[tuple[str, str]]:
    return {(held.model, column) for held in declarations() for column in held.columns}


def not_personal() -> set[tuple[str, str]]:
    return {(model, column) for model, columns in columns_without_personal_data().items() for column in columns}


def test_every_column_is_declared_or_listed_as_not_personal() -> None:
    """What is missing here belongs into the module ``privacy`` of its app."""
    assert sorted(set(candidates()) - declared() - not_personal()) == []


def test_no_column_is_declared_and_listed_as_not_personal() -> None:
    assert sorted(declared() & not_personal()) == []


def test_what_is_declared_and_listed_exists() -> None:
    known = {
        (model._meta.label, field.name)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_concrete_fields
    }

    assert sorted((declared() | not_personal()) - known) == []


@pytest.mark.parametrize("held", declarations(), ids=lambda held: f"{held.model}: {held.columns[0]}")
def test_each_declaration_is_complete(held: Held) -> None:
    model = apps.get_model(held.model)

    assert str(held.what)
    assert str(held.why)
    assert held.kind is DataKind.STAFF or held.export or held.note, "say why the export does not disclose it"
    assert held.erasing is not Erasing.KEEP or held.note, "say why it is kept"
    assert (held.rows is None) == (held.erasing is Erasing.KEEP), "say whose rows are erased"
    assert set(held.new_values) <= {
        name for field in model._meta.concrete_fields for name in (field.name, field.attname)
    }
