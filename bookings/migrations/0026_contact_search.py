"""Trigram index for the desk's search of bookings by words of name and e-mail address, built while bookings go on."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations

from accounts.customer_search import folded_columns


class Migration(migrations.Migration):
    atomic = False
    dependencies: ClassVar = [("accounts", "0013_folding_of_texts"), ("bookings", "0025_walk_ins")]
    operations: ClassVar = [
        AddIndexConcurrently(
            model_name="booking",
            index=GinIndex(
                OpClass(folded_columns("contact_name", "contact_email"), name="gin_trgm_ops"),
                name="bookings_contact_search",
            ),
        ),
    ]
