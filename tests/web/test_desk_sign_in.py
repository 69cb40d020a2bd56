"""The door of the desk: who gets in, what is said to those who do not, and where it leads."""

import pytest
from django.test import Client

from accounts.models import User
from staff.enums import Role
from tests import factories
from tests.factories import Studio

PASSWORD = "a long password"


@pytest.fixture
def leyla(studio: Studio) -> User:
    user = factories.desk_user(Role.FRONT_DESK, studio.location, email="leyla@studio.example", name="Leyla Demir")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, email: str = "leyla@studio.example", password: str = PASSWORD, next: str = "") -> object:  # noqa: A002
    return client.post("/desk/sign-in", {"username": email, "password": password, "next": next})


def test_signing_in_leads_to_the_day(client: Client, leyla: User) -> None:
    response = sign_in(client, "LEYLA@studio.example")

    assert (response.status_code, response["Location"]) == (302, "/desk/")
    assert "Leyla Demir" in client.get("/desk/").content.decode()


def test_whoever_asked_for_a_page_gets_there_after_signing_in(client: Client, leyla: User) -> None:
    asked = client.get("/desk/?on=2027-01-05")

    assert asked["Location"] == "/desk/sign-in?next=/desk/%3Fon%3D2027-01-05"
    assert sign_in(client, next="/desk/?on=2027-01-05")["Location"] == "/desk/?on=2027-01-05"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_way_on_never_leaves_the_site(client: Client, leyla: User, elsewhere: str) -> None:
    assert sign_in(client, next=elsewhere)["Location"] == "/desk/"


def test_every_refusal_says_the_same(client: Client, leyla: User) -> None:
    gone = User.objects.create(email="gone@studio.example", is_active=False)
    gone.set_password(PASSWORD)
    gone.save()

    tries = [("leyla@studio.example", "wrong"), ("nobody@studio.example", PASSWORD), ("gone@studio.example", PASSWORD)]
    answers = [sign_in(client, *each) for each in tries]

    said = {answer.content.decode().split('role="alert">')[1].split("</div>")[0] for answer in answers}
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len(said) == 1
    assert "do not belong together" in said.pop()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("counted", ["leyla@studio.example", "127.0.0.1"])
def test_guessing_is_slowed_down_by_account_and_by_address(
    client: Client, leyla: User, counted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.limits.allow", lambda bucket, key, *, per_minute: key != counted)

    response = sign_in(client)

    assert response.status_code == 422
    assert "Too many tries" in response.content.decode()
    assert "_auth_user_id" not in client.session


def test_an_account_is_counted_under_every_spelling_that_opens_it(
    client: Client, leyla: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[str] = []
    monkeypatch.setattr("core.limits.allow", lambda bucket, key, *, per_minute: counted.append(key) or True)

    for spelling in ("Leyla@Studio.Example", " leyla@studio.example", "leyla@stud\u0131o.example"):
        sign_in(client, spelling, "wrong")

    assert {key for key in counted if "@" in key} == {"leyla@studio.example"}


def test_signing_out_takes_a_form(client: Client, leyla: User) -> None:
    client.force_login(leyla)

    assert client.get("/desk/sign-out").status_code == 405
    assert client.get("/desk/").status_code == 200
    assert client.post("/desk/sign-out")["Location"] == "/desk/sign-in"
    assert client.get("/desk/").status_code == 302


def test_somebody_without_a_role_is_told_so(client: Client, studio: Studio) -> None:
    client.force_login(User.objects.create_superuser("olivia@studio.example", "pass"))

    response = client.get("/desk/")

    assert response.status_code == 403
    assert "You have no role here yet" in response.content.decode()


def test_a_role_taken_away_counts_at_once(client: Client, leyla: User) -> None:
    client.force_login(leyla)
    leyla.accesses.all().delete()

    assert client.get("/desk/").status_code == 403


def test_pages_of_the_desk_are_never_kept_by_browsers_or_proxies(client: Client, leyla: User) -> None:
    client.force_login(leyla)

    assert "no-store" in client.get("/desk/")["Cache-Control"]
