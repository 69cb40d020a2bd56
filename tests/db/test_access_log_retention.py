"""The access log keeps its rows, and loses the old ones by one function of the database."""

from datetime import datetime, timedelta

import pytest

from accounts.enums import Reading, RecordKind
from accounts.models import AccessLog, User
from accounts.retention import delete_old_access
from staff.enums import Role
from tests import factories
from tests.db.test_grants import acting_as, granted, refusal
from tests.factories import NOW

pytestmark = pytest.mark.django_db
__all__ = ["granted"]

DAY = timedelta(days=1)


@pytest.fixture
def reader() -> User:
    return factories.desk_user(Role.FRONT_DESK, email="leyla@studio.example", name="Leyla Demir")


def read(user: User, count: int, *, at: datetime = NOW, first: int = 0) -> None:
    AccessLog.objects.bulk_create(
        AccessLog(
            at=at,
            user=user,
            user_name=str(user),
            act=Reading.VIEWED,
            record=RecordKind.BOOKING,
            reference=f"R{number}",
            address_hash="1",
            request_id="1",
        )
        for number in range(first, first + count)
    )


def test_old_rows_are_deleted_and_nothing_else(reader: User, granted: None) -> None:
    """By the application's own role, which may not delete a row itself."""
    real_now = datetime.now(tz=NOW.tzinfo)
    read(reader, 2, at=real_now - 800 * DAY)
    read(reader, 1, at=real_now - 700 * DAY, first=10)

    with acting_as("openhours_app"):
        assert delete_old_access(now=real_now) == 2
        assert delete_old_access(now=real_now) == 0
    assert list(AccessLog.objects.values_list("reference", flat=True)) == ["R10"]
    assert "permission denied" in str(refusal("DELETE FROM accounts_accesslog", "openhours_app"))


def test_nobody_deletes_recent_rows_by_that_function(reader: User, granted: None) -> None:
    real_now = datetime.now(tz=NOW.tzinfo)
    read(reader, 1, at=real_now - 150 * DAY)

    statement = "SELECT openhours_delete_old_access(now() + interval '1 year', 100)"
    assert refusal(statement, "openhours_app") is None
    assert AccessLog.objects.count() == 1
    assert "permission denied" in str(refusal(statement, "openhours_retention"))


def test_a_row_outlives_its_user(reader: User) -> None:
    read(reader, 1)
    reader.accesses.all().delete()
    reader.delete()

    row = AccessLog.objects.get()
    assert (row.user, row.user_name) == (None, "Leyla Demir")
