"""The export of a customer: everything that is known, and nothing about anybody else."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.personal_data import DataKind, declarations
from privacy.errors import Erased
from privacy.operations.erase import erase_customer
from privacy.operations.export import SECTIONS, export_customer
from tests import factories
from tests.factories import NOW
from tests.journeys import booked
from tests.needles import WORDS, ZELDA, plant

pytestmark = pytest.mark.django_db


def keys(value: Any) -> Any:
    """The shape of a document: the keys of objects, and of the first element of lists."""
    if isinstance(value, dict):
        return {name: keys(each) for name, each in value.items()}
    if isinstance(value, list):
        return [keys(value[0])] if value else []
    return type(value).__name__


def test_every_word_of_the_customer_is_in_it() -> None:
    planted = plant()

    data = export_customer(customer_id=planted.customer.pk, now=planted.over_at)

    text = json.dumps(data, ensure_ascii=False).lower()
    # Of a device only the push service is named: its address is a secret.
    assert {word for word in WORDS if word not in text} == {"deviceneedle"}
    assert "push.example" in text


def test_shape_is_stable() -> None:
    planted = plant()
    data = export_customer(customer_id=planted.customer.pk, now=planted.over_at)

    assert (data["format"], data["version"]) == ("openhours-customer", 1)
    assert list(data) == ["format", "version", "made_at", "business", *SECTIONS, "why"]
    assert sorted(data["bookings"][0]) == sorted(
        [
            *("about", "reference", "status", "place", "starts_at", "ends_at", "time_zone", "services", "people"),
            *("total", "currency", "booked_by", "booked_at", "contact", "note", "address_of_visit", "meeting_url"),
            *("history", "session_note", "tasks", "conversation"),
        ]
    )
    assert keys(data["payments"]) == [
        {
            **dict.fromkeys(("about", "at", "purpose", "method", "card", "amount", "currency"), "str"),
            **dict.fromkeys(("status", "note", "receipt"), "str"),
            "refunds": [],
        }
    ]
    assert keys(data["consents"])[0].keys() == {"purpose", "text", "given_at", "withdrawn_at", "about"}
    assert keys(data["messages"])[0].keys() == {
        *("direction", "at", "about", "kind", "channel", "to", "subject", "text", "status"),
    }


def test_values_are_exact() -> None:
    planted = plant()
    data = export_customer(customer_id=planted.customer.pk, now=planted.over_at)

    assert data["contact"]["name"] == ZELDA.name
    assert data["payments"][0]["amount"] == "80.00"
    assert data["payments"][0]["receipt"] == "2027-000001"
    assert data["message_choices"]["quiet_hours"][0]["from_minute"] == 1320
    assert {each["text"] for each in data["notes"]} == {"Noteneedle", "Trustneedle: shouted"}
    assert data["bookings"][0]["session_note"]["text"] == "Sessionneedle"
    assert {each["text"] for each in data["texts_received"]} == {"Textneedle, I am late"}


def test_every_section_that_a_declaration_names_exists() -> None:
    named = {held.export for held in declarations() if held.export}

    assert named <= {*SECTIONS}


def test_reasons_are_those_of_the_declarations() -> None:
    planted = plant()
    data = export_customer(customer_id=planted.customer.pk, now=planted.over_at)

    assert len(data["why"]) == sum(held.kind is not DataKind.STAFF for held in declarations())


def test_nothing_about_others_or_about_who_wrote() -> None:
    planted = plant()
    booked(planted.place, start_minute=planted.place.minute(14, days=4))

    text = json.dumps(export_customer(customer_id=planted.customer.pk, now=planted.over_at))

    assert "Jana" not in text
    assert "Ana" not in text


def test_number_of_queries_does_not_depend_on_the_number_of_bookings() -> None:
    planted = plant()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            export_customer(customer_id=planted.customer.pk, now=planted.over_at)
        return len(captured)

    before = queries()
    for hour in (12, 13, 14):
        booked(planted.place, contact=ZELDA, start_minute=planted.place.minute(hour, days=4))

    assert queries() == before <= 34


def test_nothing_is_left_to_export_after_erasing() -> None:
    planted = plant()
    erase_customer(customer_id=planted.customer.pk, now=planted.over_at)

    with pytest.raises(Erased):
        export_customer(customer_id=planted.customer.pk, now=planted.over_at)


def test_a_customer_without_anything_has_every_section_all_the_same() -> None:
    booking = booked(factories.studio())

    data = export_customer(customer_id=booking.customer_id or 0, now=NOW)

    assert (data["payments"], data["account"], data["notes"]) == ([], None, [])
