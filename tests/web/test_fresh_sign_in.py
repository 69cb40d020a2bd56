"""Sessions of staff end without activity, and pages with money or data ask again who is there."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from bookings.models import Booking
from config.access import FRESH_IN_ADMIN, ROWS
from staff.enums import Role
from tests import factories
from tests.factories import Studio
from tests.journeys import booked
from tests.signing_in import SECRET, code_of
from tests.web.conftest import StoppedClock

PASSWORD = "a long password"
CONFIRM = "/desk/account/confirm"
CSV = "/desk/payments/payments.csv"


@pytest.fixture
def leyla(studio: Studio) -> User:
    user = factories.desk_user(
        Role.OWNER, email="leyla@studio.example", name="Leyla Demir", is_staff=True, is_superuser=True
    )
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    return user


@pytest.fixture
def desk(client: Client, leyla: User) -> Client:
    """A browser that has just signed in with both steps."""
    client.post("/desk/sign-in", {"login": leyla.email, "password": PASSWORD})
    client.post("/desk/sign-in/second-step", {"code": code_of(), "kind": "app"})
    return client


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio, 10)


def confirm(client: Client, next: str = "", **sent: str) -> HttpResponse:  # noqa: A002
    return client.post(CONFIRM, {"next": next, **sent})


# --- without activity ---------------------------------------------------------------------------------------------


def test_a_session_ends_after_half_an_hour_without_activity(desk: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(31)
    answer = desk.get("/desk/?on=2027-01-05")

    assert answer["Location"] == "/desk/sign-in?next=/desk/%3Fon%3D2027-01-05&ended=idle"
    assert "without activity" in desk.get(answer["Location"]).content.decode()
    assert "_auth_user_id" not in desk.session


def test_each_page_keeps_the_session_alive(desk: Client, stopped: StoppedClock) -> None:
    for _ in range(4):
        stopped.pass_minutes(20)
        assert desk.get("/desk/").status_code == 200


def test_what_a_page_reads_by_itself_is_no_activity(desk: Client, stopped: StoppedClock) -> None:
    for _ in range(3):
        stopped.pass_minutes(9)
        desk.get("/desk/changes", headers={"X-Background": "1"})
        desk.get("/desk/", headers={"X-Background": "1", "HX-Request": "true"})
    stopped.pass_minutes(4)
    answer = desk.get(
        "/desk/changes", headers={"X-Background": "1", "Referer": "http://testserver/desk/?on=2027-01-05"}
    )

    assert answer.status_code == 401
    assert answer["X-Go-To"] == "/desk/sign-in?next=/desk/%3Fon%3D2027-01-05&ended=idle"


def test_somebody_who_types_keeps_the_session_alive(desk: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(25)
    asked = desk.get("/desk/session", headers={"X-Background": "1"}).json()
    said = desk.post("/desk/session").json()
    stopped.pass_minutes(25)

    assert (asked["left"], said["left"]) == (300, 1800)
    assert desk.get("/desk/").status_code == 200


def test_a_session_ends_after_twelve_hours_however_active(desk: Client, stopped: StoppedClock) -> None:
    for _ in range(29):
        stopped.pass_minutes(25)
        answer = desk.get("/desk/")

    assert answer["Location"].endswith("&ended=over")


def test_a_form_sent_too_late_leads_back_to_its_page(desk: Client, booking: Booking, stopped: StoppedClock) -> None:
    stopped.pass_minutes(31)
    page = f"/desk/bookings/{booking.reference}/cancel"
    answer = desk.post(page, {"reason": "x"}, headers={"Referer": f"http://testserver{page}?b=1"})

    assert answer["Location"].startswith(f"/desk/sign-in?next={page}%3Fb%3D1")


def test_a_form_of_another_site_leads_to_the_desk(desk: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(31)
    answer = desk.post("/desk/book/", headers={"Referer": "https://evil.example/desk/"})

    assert answer["Location"].startswith("/desk/sign-in?next=/desk/&")


def test_htmx_is_sent_to_a_whole_page(desk: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(31)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/desk/?on=2027-01-05"}
    answer = desk.get("/desk/bookings/ABCDEF/", headers=headers)

    assert answer.status_code == 204
    assert answer["HX-Redirect"].startswith("/desk/sign-in?next=/desk/%3Fon%3D2027-01-05")


def test_activity_undoes_nothing_that_the_session_learned_meanwhile(desk: Client, stopped: StoppedClock) -> None:
    """Keys of forms that count once are written past the session of the request."""
    stopped.pass_minutes(5)
    session = desk.session
    session["done"] = ["key"]
    session.save()
    desk.get("/desk/")

    assert desk.session["done"] == ["key"]


# --- asked again --------------------------------------------------------------------------------------------------


def test_which_pages_ask_again() -> None:
    """Refunds, every download, erasing, and what changes one's own second step or who may
    do what; in the admin users and their roles."""
    assert {name for name, row in ROWS.items() if row.is_fresh} == {
        *("desk_booking_refund", "desk_booking_approve", "desk_booking_lower", "desk_booking_hand_back"),
        *(name for name in ROWS if name.endswith(("_csv", "_export", "_erase")) and name.startswith("desk_")),
        *("desk_set_up", "desk_recovery_codes", "desk_second_step_remove"),
        *("desk_team_invite", "desk_team_member", "desk_team_off", "desk_team_on", "desk_team_reset"),
    }
    assert FRESH_IN_ADMIN == ("accounts_user", "staff_access")


@pytest.mark.parametrize("way", ["code", "password"])
def test_a_refund_asks_again_after_some_minutes(
    desk: Client, booking: Booking, stopped: StoppedClock, way: str
) -> None:
    page = f"/desk/bookings/{booking.reference}/refund"
    assert not desk.get(page).get("Location", "").startswith(CONFIRM)
    stopped.pass_minutes(6)

    asked = desk.get(page)
    shown = desk.get(asked["Location"])
    answer = confirm(desk, page, **({"code": code_of(), "kind": "app"} if way == "code" else {"password": PASSWORD}))

    assert (asked["Location"], shown.status_code) == (f"{CONFIRM}?next={page}", 200)
    assert answer["Location"] == page
    assert not desk.get(page).get("Location", "").startswith(CONFIRM)


def test_a_form_that_was_opened_in_time_may_take_five_minutes(
    desk: Client, booking: Booking, stopped: StoppedClock
) -> None:
    page = f"/desk/bookings/{booking.reference}/refund"
    stopped.pass_minutes(9)
    assert not desk.post(page).get("Location", "").startswith(CONFIRM)
    stopped.pass_minutes(2)
    assert desk.post(page, headers={"Referer": f"http://testserver{page}"})["Location"] == f"{CONFIRM}?next={page}"


def test_a_download_waits_on_a_page_of_its_own(desk: Client, stopped: StoppedClock) -> None:
    stopped.pass_minutes(6)
    assert desk.get(f"{CSV}?at=kreuzberg")["Location"] == f"{CONFIRM}?next={CSV}%3Fat%3Dkreuzberg"

    page = confirm(desk, f"{CSV}?at=kreuzberg", password=PASSWORD).content.decode()

    assert f'href="{CSV}?at=kreuzberg"' in page
    assert 'href="/desk/payments/"' in page
    assert desk.get(CSV).status_code == 200


@pytest.mark.parametrize("page", ["accounts/user/add/", "accounts/user/{}/change/", "staff/access/add/"])
def test_changes_of_access_in_the_admin_ask_again(desk: Client, leyla: User, stopped: StoppedClock, page: str) -> None:
    path = f"/admin/{page.format(leyla.pk)}"
    assert desk.get(path).status_code == 200
    stopped.pass_minutes(11)

    assert desk.get(path)["Location"].startswith(f"{CONFIRM}?next=/admin/")
    assert desk.post(path)["Location"].startswith(f"{CONFIRM}?next=")
    assert desk.get("/admin/accounts/user/").status_code == 200
    assert desk.post("/admin/accounts/user/")["Location"].startswith(f"{CONFIRM}?next=")
    assert desk.get("/admin/services/service/").status_code == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"password": "wrong"}, "not your password"),
        ({"password": ""}, "Type your password first"),
        ({"code": "000000", "kind": "app"}, "not right"),
        ({"code": "", "kind": "app"}, "Type the code first"),
        ({"credential": "{}"}, "not accepted"),
    ],
)
def test_a_wrong_answer_confirms_nothing(desk: Client, stopped: StoppedClock, sent: dict[str, str], said: str) -> None:
    stopped.pass_minutes(6)
    answer = confirm(desk, CSV, **sent)

    assert answer.status_code == 422
    assert desk.get(CSV).status_code == 302


def test_guessing_the_password_of_an_open_screen_ends_at_the_limit(desk: Client, settings: object) -> None:
    settings.SIGN_INS_PER_MINUTE = 3
    answers = ["Too many tries" in confirm(desk, CSV, password=f"guess {n}").content.decode() for n in range(5)]

    assert answers == [False] * 3 + [True] * 2


def test_the_way_on_never_leaves_the_site(desk: Client) -> None:
    assert confirm(desk, "https://evil.example/x.csv", password=PASSWORD)["Location"] == "/desk/"


def test_confirming_does_not_begin_the_twelve_hours_again(desk: Client, stopped: StoppedClock) -> None:
    for _ in range(29):
        stopped.pass_minutes(25)
        answer = confirm(desk, password=PASSWORD)

    assert answer["Location"].endswith("&ended=over")


def test_whoever_is_at_the_second_step_confirms_nothing(client: Client, leyla: User) -> None:
    client.post("/desk/sign-in", {"login": leyla.email, "password": PASSWORD})

    assert confirm(client, CSV, password=PASSWORD)["Location"].startswith("/desk/sign-in")
