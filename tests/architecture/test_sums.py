"""Columns that hold money hold sums of any currency: one of four bytes ends at 21 million of the smallest."""

from django.apps import apps
from django.db.models import BigIntegerField


def test_every_column_of_money_takes_eight_bytes() -> None:
    columns = [field for model in apps.get_models() for field in model._meta.local_fields if "_minor" in field.name]

    assert columns
    assert [str(field) for field in columns if not isinstance(field, BigIntegerField)] == []
