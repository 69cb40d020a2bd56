"""The page of alerts about unusual reading: who sees it, who settles an alert, and the limits."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy.enums import UnusualReading
from privacy.models import ReadingAlert
from privacy.queries import reading_limits
from staff.enums import Role
from tests import factories
from tests.desk import at_desk
from tests.factories import NOW, Studio
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db

ALERTS = "/desk/access/alerts/"
LIMITS = "/desk/access/limits"


@pytest.fixture
def alert(studio: Studio) -> ReadingAlert:
    user = factories.desk_user(Role.FRONT_DESK, studio.location, email="mia@studio.example", name="Mia")
    return ReadingAlert.objects.create(
        user=user, user_name="Mia", rule=UnusualReading.MANY, on=NOW.date(), count=73, found_at=NOW
    )


@pytest.fixture
def olivia(client: Client, studio: Studio) -> Client:
    return at_desk(client, Role.OWNER, email="olivia@studio.example", name="Olivia").client


def form_of(client: Client) -> dict[str, str]:
    html = client.get(ALERTS).content.decode()
    return dict(typed(html.split("reading-limits")[1].split("</form>")[0]))


def test_the_to_do_page_leads_an_owner_to_it(olivia: Client, alert: ReadingAlert) -> None:
    html = olivia.get("/desk/hands/").content.decode()

    assert "1 alert about unusual reading" in " ".join(html.split())
    assert f'href="{ALERTS}"' in html
    assert re.search(r'class="desk-count">\s*1<', html)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.FRONT_DESK, Role.AUDITOR])
def test_others_have_no_such_to_do(client: Client, alert: ReadingAlert, role: Role) -> None:
    html = at_desk(client, role).client.get("/desk/hands/").content.decode()

    assert "unusual reading" not in html
    assert "desk-count" not in html


def test_an_alert_leads_to_the_readings_and_is_settled_once(olivia: Client, alert: ReadingAlert) -> None:
    html = olivia.get(ALERTS).content.decode()
    assert "Mia opened 73 records within an hour." in html
    assert f"/desk/access/?who={alert.user_id}&amp;from=2027-01-04&amp;until=2027-01-05" in html

    answers = [olivia.post(f"{ALERTS}{alert.pk}/done") for _ in range(2)]

    alert.refresh_from_db()
    assert [(each.status_code, each["Location"]) for each in answers] == [(303, ALERTS)] * 2
    assert (alert.settled_at, alert.settled_by) == (NOW, "Olivia")
    assert "Done by Olivia, Mon 4 Jan 2027, 07:00" in olivia.get(ALERTS).content.decode()
    assert "unusual reading" not in olivia.get("/desk/hands/").content.decode()


def test_an_auditor_sees_alerts_and_changes_nothing(client: Client, alert: ReadingAlert) -> None:
    auditor = at_desk(client, Role.AUDITOR).client
    html = auditor.get(ALERTS).content.decode()

    assert "Mia opened 73 records" in html
    assert "reading-limits" not in html
    assert f"{alert.pk}/done" not in html
    assert auditor.post(f"{ALERTS}{alert.pk}/done").status_code == 404
    assert auditor.post(LIMITS, {}).status_code == 404


def test_a_manager_sees_none_of_it(client: Client, alert: ReadingAlert) -> None:
    assert at_desk(client, Role.MANAGER).client.get(ALERTS).status_code == 404


def test_an_owner_sets_the_limits(olivia: Client) -> None:
    values = form_of(olivia)
    assert (values["per_hour"], values["night_begins"], values["night_ends"]) == ("60", "21:00", "06:00")

    answer = olivia.post(LIMITS, {**values, "per_hour": "30", "at_night": "", "night_begins": "22:30"})

    limits = reading_limits()
    assert answer.status_code == 303
    assert (limits.per_hour, limits.at_night, limits.refused_per_day) == (30, None, 5)
    assert (limits.night_begins, limits.night_ends, limits.updated_by) == (22 * 60 + 30, 6 * 60, "Olivia")
    assert "Changed by Olivia" in olivia.get(ALERTS).content.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [("per_hour", "-1"), ("per_hour", "many"), ("at_night", "99999"), ("night_begins", "25:00"), ("night_ends", "")],
)
def test_a_wrong_limit_is_named_and_nothing_saved(olivia: Client, name: str, value: str) -> None:
    answer = olivia.post(LIMITS, {**form_of(olivia), name: value})

    assert answer.status_code == 422
    assert f'id="id_{name}-error"' in answer.content.decode()
    assert reading_limits().updated_at is None


def test_the_second_of_two_owners_is_told(olivia: Client) -> None:
    values = form_of(olivia)
    olivia.post(LIMITS, {**values, "per_hour": "30"})

    answer = olivia.post(LIMITS, {**values, "per_hour": "90"})

    assert answer.status_code == 409
    assert "Someone else changed these limits" in answer.content.decode()
    assert reading_limits().per_hour == 30


def test_the_statements_do_not_grow_with_the_alerts(olivia: Client, alert: ReadingAlert) -> None:
    counts = []
    for number in (0, 20):
        for each in range(number):
            user = factories.desk_user(Role.MANAGER, email=f"m{each}@studio.example")
            ReadingAlert.objects.create(
                user=user, user_name="M", rule=UnusualReading.NIGHT, on=NOW.date(), count=9, found_at=NOW
            )
        with CaptureQueriesContext(connection) as queries:
            olivia.get(ALERTS)
        counts.append(len(queries))

    assert counts[0] == counts[1]
