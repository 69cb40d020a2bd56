"""Rows inserted by our own SQL equal the rows that Django would write."""

from datetime import timedelta

import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Consent
from core.inserts import insert_missing, insert_row_if, insert_rows, insert_rows_of
from notifications.models import Notification
from payments.models import Bill, BillLine
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def message(key: str, **values: object) -> Notification:
    of_all = {"kind": "confirmed", "subject_ref": "booking:1", "channel": "email", "recipient_role": "customer"}
    times = {"not_before": NOW, "next_try_at": NOW, "created_at": NOW}
    return Notification(**{**of_all, **times, "key": key, "address": f"{key}@example.com", **values})


def consent(text: str) -> Consent:
    return Consent(subject_ref="booking:1", purpose="booking", text=text, text_version="1", given_at=NOW)


def bill_line(text: str) -> BillLine:
    return BillLine(
        subject_ref="booking:1",
        kind=BillLine.Kind.SERVICE,
        text=text,
        net_minor=84,
        tax_minor=16,
        gross_minor=100,
        created_at=NOW,
    )


def test_several_rows_come_back_as_they_were_given() -> None:
    details = {"a": [1, None, {"b": "ä'\"\\{}"}]}
    given = [message("one", details=details), message("two", expires_at=NOW + timedelta(days=1), can_wait=True)]

    insert_rows(*given)

    one, two = Notification.objects.order_by("pk")
    assert [one.pk, two.pk] == [row.pk for row in given]
    assert (one.details, one.address, one.expires_at, one.can_wait) == (details, "one@example.com", None, False)
    assert (two.details, two.address, two.expires_at, two.can_wait) == (
        {},
        "two@example.com",
        NOW + timedelta(days=1),
        True,
    )


def test_any_number_of_rows_has_the_same_few_parameters() -> None:
    seen = set()
    for count in (2, 5):
        with CaptureQueriesContext(connection) as queries:
            insert_missing(*(message(f"{count}-{number}") for number in range(count)), unique=("key",))
        seen.add(queries[0]["sql"].count("::"))

    assert len(seen) == 1
    assert seen.pop() <= 50  # more are read anew by psycopg each time
    assert Notification.objects.count() == 7


def test_what_is_too_long_is_refused_and_not_cut() -> None:
    with pytest.raises(DataError), transaction.atomic():
        insert_rows(message("x" * 1000), message("two"))


def test_rows_of_several_models_take_one_statement() -> None:
    agreed, messages = consent("Yes."), [message("one"), message("two")]

    with CaptureQueriesContext(connection) as queries:
        insert_rows(agreed, *messages)

    assert len(queries) == 1
    assert Consent.objects.get().pk == agreed.pk
    assert [Notification.objects.get(pk=row.pk).key for row in messages] == ["one", "two"]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_rows_refer_to_the_one_that_is_written_with_them(count: int) -> None:
    bill = Bill(currency="EUR", created_at=NOW)

    insert_rows_of(bill, *(bill_line(f"line {number}") for number in range(count)), column="bill_id")

    lines = BillLine.objects.filter(bill_id=bill.pk).order_by("pk")
    assert [line.text for line in lines] == [f"line {number}" for number in range(count)]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_row_is_written_only_if_the_other_statement_did_something(is_there: bool) -> None:
    known = consent("Yes.")
    insert_rows(known)
    row = consent("No.")

    done = insert_row_if(
        "UPDATE accounts_consent SET withdrawn_at = %s WHERE id = %s RETURNING 1",
        [NOW, known.pk if is_there else -1],
        row,
    )

    assert done is is_there
    assert Consent.objects.filter(text="No.").exists() is is_there
    assert Consent.objects.filter(withdrawn_at=NOW).exists() is is_there
