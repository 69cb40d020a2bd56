"""Bills: lines add up, corrections are lines of their own."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from payments.models import Bill, BillLine
from payments.operations import NewLine, add_line, open_bill
from payments.queries import balance
from tests.factories import NOW

pytestmark = pytest.mark.django_db
MASSAGE = NewLine(BillLine.Kind.SERVICE, "Deep tissue massage, 60 min", 6723, 1277, 1900)
TOWEL = NewLine(BillLine.Kind.ADD_ON, "Hot towel wrap", 672, 128, 1900)


def test_opens_with_its_lines_in_one_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        bill = open_bill(customer_id=None, currency="EUR", lines=[MASSAGE, TOWEL], subject_ref="booking:1", now=NOW)

    assert len([query for query in queries if "INSERT" in query["sql"]]) == 1
    lines = list(bill.lines.all())
    assert [(line.text, line.gross_minor, line.subject_ref) for line in lines] == [
        ("Deep tissue massage, 60 min", 8000, "booking:1"),
        ("Hot towel wrap", 800, "booking:1"),
    ]
    assert balance("booking:1").owed_minor == 8800


def test_fees_and_corrections_are_added() -> None:
    bill = open_bill(customer_id=None, currency="EUR", lines=[MASSAGE], subject_ref="booking:1", now=NOW)

    add_line(
        bill_id=bill.pk,
        line=NewLine(BillLine.Kind.CORRECTION, "Cancelled", -6723, -1277, 1900),
        subject_ref="booking:1",
        now=NOW,
    )
    add_line(
        bill_id=bill.pk,
        line=NewLine(BillLine.Kind.CANCELLATION_FEE, "Cancellation fee", 4000, 0),
        subject_ref="booking:2",
        now=NOW,
    )

    assert (balance("booking:1").owed_minor, balance("booking:2").owed_minor) == (0, 4000)


def test_an_empty_bill_owes_nothing() -> None:
    open_bill(customer_id=None, currency="JPY", lines=[], subject_ref="booking:1", now=NOW)

    assert balance("booking:1").owed_minor == 0


def test_no_line_without_a_bill() -> None:
    with pytest.raises(Bill.DoesNotExist):
        add_line(bill_id=4711, line=MASSAGE, subject_ref="booking:1", now=NOW)


def test_long_texts_are_cut_to_the_column() -> None:
    line = NewLine(BillLine.Kind.SERVICE, "x" * 300, 1, 0)

    bill = open_bill(customer_id=None, currency="EUR", lines=[line], subject_ref="booking:1", now=NOW)

    assert len(bill.lines.get().text) == 200
