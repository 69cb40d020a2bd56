"""Alerts about unusual reading: found in the access log, announced once, settled by an owner."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.customer_record import By
from accounts.models import AccessLog, User
from notifications.delivery.sending import send_due
from notifications.models import Notification
from privacy.errors import LimitsChanged
from privacy.models import ReadingAlert, ReadingLimits
from privacy.operations.unusual_reading import (
    delete_old_alerts,
    find_unusual_reading,
    set_reading_limits,
    settle_reading_alert,
    stamp,
)
from privacy.queries import reading_limits
from staff.enums import Role
from tests import factories
from tests.factories import NOW, Studio
from tests.money import deliver

pytestmark = pytest.mark.django_db

OLIVIA = By(None, "Olivia")
LOW = {"per_hour": 5, "at_night": 2, "refused_per_day": 2, "night_begins": 21 * 60, "night_ends": 6 * 60}


@pytest.fixture
def studio() -> Studio:
    studio = factories.studio()
    set_reading_limits(values=dict(LOW), seen=stamp(reading_limits()), by=OLIVIA, now=NOW)
    return studio


@pytest.fixture
def mia(studio: Studio) -> User:
    return factories.desk_user(Role.FRONT_DESK, studio.location, email="mia@studio.example", name="Mia")


def read(user: User, at: datetime, references: list[str], act: str = "viewed", **values: Any) -> None:
    AccessLog.objects.bulk_create(
        AccessLog(
            **{
                "at": at + timedelta(seconds=number),
                "user": user,
                "user_name": str(user),
                "roles": "front_desk",
                "act": act,
                "record": "customer",
                "reference": reference,
                "address_hash": "0" * 32,
                "request_id": "1",
                **values,
            }
        )
        for number, reference in enumerate(references)
    )


def alerts() -> list[tuple[str, str, str, int]]:
    rows = ReadingAlert.objects.order_by("pk").values_list("user_name", "rule", "on", "count")
    return [(name, rule, on.isoformat(), count) for name, rule, on, count in rows]


def records(count: int) -> list[str]:
    return [f"R{number}" for number in range(count)]


def test_many_records_in_an_hour_are_announced_to_the_owners_once(mia: User, studio: Studio) -> None:
    olivia = factories.desk_user(Role.OWNER, email="olivia@studio.example")
    factories.desk_user(Role.MANAGER, email="max@studio.example")
    read(mia, NOW, records(6))

    assert [find_unusual_reading(now=NOW + timedelta(minutes=each)) for each in (1, 2)] == [1, 0]
    for _ in range(2):
        deliver(now=NOW + timedelta(minutes=3))

    assert alerts() == [("Mia", "many", "2027-01-04", 6)]
    [row] = Notification.objects.filter(kind="unusual_reading")
    assert (row.address, row.recipient_ref) == (olivia.email, f"user:{olivia.pk}")


def test_what_the_mail_says(mia: User) -> None:
    factories.desk_user(Role.OWNER, email="olivia@studio.example")
    read(mia, NOW, records(6))
    find_unusual_reading(now=NOW + timedelta(minutes=1))
    deliver(now=NOW + timedelta(minutes=1))

    send_due(now=NOW + timedelta(minutes=2), limit=9)

    [sent] = mail.outbox
    assert sent.subject == "Unusual reading: Mia"
    assert "Mia opened 6 records within an hour. It was on Mon 4 Jan 2027." in str(sent.body)
    assert "/desk/access/alerts/" in str(sent.body)


def test_a_settled_alert_is_not_mailed(mia: User) -> None:
    factories.desk_user(Role.OWNER, email="olivia@studio.example")
    read(mia, NOW, records(6))
    find_unusual_reading(now=NOW + timedelta(minutes=1))
    deliver(now=NOW + timedelta(minutes=1))
    settle_reading_alert(alert_id=ReadingAlert.objects.get().pk, by=OLIVIA, now=NOW + timedelta(minutes=1))

    send_due(now=NOW + timedelta(minutes=2), limit=9)

    assert mail.outbox == []


def test_what_is_usual_is_no_alert(mia: User) -> None:
    read(mia, NOW, records(5))
    read(mia, NOW + timedelta(hours=2), records(9)[5:])

    assert find_unusual_reading(now=NOW + timedelta(hours=3)) == 0


def test_two_users_are_counted_apart(mia: User, studio: Studio) -> None:
    other = factories.desk_user(Role.MANAGER, studio.location, email="max@studio.example", name="Max")
    read(mia, NOW, records(4))
    read(other, NOW, [f"S{number}" for number in range(4)])

    assert find_unusual_reading(now=NOW + timedelta(minutes=1)) == 0


def test_the_number_grows_while_the_alert_is_open(mia: User) -> None:
    read(mia, NOW, records(6))
    find_unusual_reading(now=NOW + timedelta(minutes=1))
    read(mia, NOW + timedelta(minutes=2), records(9)[6:])
    find_unusual_reading(now=NOW + timedelta(minutes=3))
    assert alerts() == [("Mia", "many", "2027-01-04", 9)]

    alert = ReadingAlert.objects.get()
    assert [settle_reading_alert(alert_id=alert.pk, by=OLIVIA, now=NOW) for _ in range(2)] == [True, False]
    read(mia, NOW + timedelta(minutes=4), records(12)[9:])

    assert find_unusual_reading(now=NOW + timedelta(minutes=5)) == 0
    assert alerts() == [("Mia", "many", "2027-01-04", 9)]


def test_the_next_day_is_an_alert_of_its_own(mia: User) -> None:
    for day in range(2):
        at = NOW + timedelta(days=day)
        read(mia, at, records(6))
        find_unusual_reading(now=at + timedelta(minutes=1))

    assert [on for _, _, on, _ in alerts()] == ["2027-01-04", "2027-01-05"]


def test_rows_of_a_download_count_and_looking_at_the_log_does_not(mia: User) -> None:
    read(mia, NOW, [""], "exported", record="access", count=400)
    assert find_unusual_reading(now=NOW + timedelta(minutes=1)) == 0

    read(mia, NOW, [""], "exported", record="customers", count=400)
    assert find_unusual_reading(now=NOW + timedelta(minutes=1)) == 1


def test_a_night_is_outside_the_opening_hours(mia: User, studio: Studio) -> None:
    """The studio is open until 17:00; the night begins at 21:00 in Berlin."""
    read(mia, studio.at(20), records(3))
    assert find_unusual_reading(now=studio.at(20, 30)) == 0

    read(mia, studio.at(22), records(3))
    assert find_unusual_reading(now=studio.at(22, 30)) == 1
    assert {rule for _, rule, _, _ in alerts()} == {"night"}


def test_a_studio_that_is_open_at_night_works_then(mia: User, studio: Studio) -> None:
    studio.location.opening_hours.update(end_minute=23 * 60)
    read(mia, studio.at(22), records(3))

    assert find_unusual_reading(now=studio.at(22, 30)) == 0


def test_refused_records_are_found(mia: User) -> None:
    read(mia, NOW, records(3), "refused")

    assert find_unusual_reading(now=NOW + timedelta(minutes=1)) == 1
    assert alerts() == [("Mia", "refused", "2027-01-04", 3)]


def test_an_empty_limit_switches_its_rule_off(mia: User) -> None:
    off = {**LOW, "per_hour": None}
    set_reading_limits(values=off, seen=stamp(reading_limits()), by=OLIVIA, now=NOW)
    read(mia, NOW, records(60))

    assert find_unusual_reading(now=NOW + timedelta(minutes=1)) == 0


def test_the_second_of_two_owners_is_told_of_the_first(studio: Studio) -> None:
    seen = stamp(reading_limits())
    set_reading_limits(values={**LOW, "per_hour": 7}, seen=seen, by=OLIVIA, now=NOW)

    with pytest.raises(LimitsChanged):
        set_reading_limits(values={**LOW, "per_hour": 9}, seen=seen, by=OLIVIA, now=NOW)

    kept = ReadingLimits.objects.get()
    assert (kept.per_hour, kept.updated_by, kept.updated_at) == (7, "Olivia", NOW)


def test_old_alerts_go_with_the_rows_of_the_log(mia: User) -> None:
    read(mia, NOW, records(6))
    find_unusual_reading(now=NOW + timedelta(minutes=1))

    assert delete_old_alerts(now=NOW + timedelta(days=700)) == 0
    assert delete_old_alerts(now=NOW + timedelta(days=760)) == 1


def test_the_statements_do_not_grow_with_the_log(mia: User) -> None:
    counts = []
    for number in (1, 200):
        read(mia, NOW, ["R1"] * number)
        with CaptureQueriesContext(connection) as queries:
            find_unusual_reading(now=NOW + timedelta(minutes=10))
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12
