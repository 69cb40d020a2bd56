"""Signing in to the desk: who may, what a refusal says, and which page opens next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core import clock, limits
from devservers import valkey
from devservers.valkey import Valkey
from notifications.operations import send_due
from staff.enums import Role
from tests import factories, money, servers
from tests.factories import Studio
from tests.journeys import booked
from tests.signing_in import SECRET, code_of, sign_in_staff

PASSWORD = "a long password"


@pytest.fixture
def leyla(studio: Studio) -> User:
    user = factories.desk_user(Role.FRONT_DESK, studio.location, email="leyla@studio.example", name="Leyla Demir")
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    return user


def sign_in(client: Client, email: str = "leyla@studio.example", password: str = PASSWORD, next: str = "") -> object:  # noqa: A002
    return client.post("/desk/sign-in", {"login": email, "password": password, "next": next})


def send_code(client: Client, code: str = "", kind: str = "app") -> object:
    return client.post("/desk/sign-in/second-step", {"code": code or code_of(), "kind": kind})


def test_signing_in_takes_password_and_code_and_leads_to_the_day(client: Client, leyla: User) -> None:
    password = sign_in(client, "LEYLA@studio.example")
    code = send_code(client)

    assert (password.status_code, password["Location"]) == (302, "/desk/sign-in/second-step")
    assert (code.status_code, code["Location"]) == (302, "/desk/")
    assert "Leyla Demir" in client.get("/desk/").content.decode()


def test_whoever_asked_for_a_page_gets_there_after_signing_in(client: Client, leyla: User) -> None:
    asked = client.get("/desk/?on=2027-01-05")

    assert asked["Location"] == "/desk/sign-in?next=/desk/%3Fon%3D2027-01-05"
    sign_in(client, next="/desk/?on=2027-01-05")
    assert send_code(client)["Location"] == "/desk/?on=2027-01-05"


@pytest.mark.parametrize(
    ("asked", "opens"), [("", "/desk/me/"), ("/desk/", "/desk/me/"), ("/desk/?on=2027-01-05", "/desk/?on=2027-01-05")]
)
def test_a_therapist_begins_with_their_own_day(client: Client, studio: Studio, asked: str, opens: str) -> None:
    therapist = factories.desk_user(Role.THERAPIST, of=booked(studio, 10), email="ana@studio.example")
    therapist.set_password(PASSWORD)
    therapist.save()
    TOTP.activate(therapist, SECRET)

    sign_in(client, "ana@studio.example", next=asked)

    assert send_code(client)["Location"] == opens


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_the_way_on_never_leaves_the_site(client: Client, leyla: User, elsewhere: str) -> None:
    sign_in(client, next=elsewhere)
    assert send_code(client)["Location"] == "/desk/"


def test_every_refusal_says_the_same(client: Client, leyla: User) -> None:
    gone = User.objects.create(email="gone@studio.example", is_active=False)
    gone.set_password(PASSWORD)
    gone.save()

    tries = [("leyla@studio.example", "wrong"), ("nobody@studio.example", PASSWORD), ("gone@studio.example", PASSWORD)]
    answers = [sign_in(client, *each) for each in tries]

    said = {answer.content.decode().split('role="alert"')[1].partition(">")[2].split("</div>")[0] for answer in answers}
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len(said) == 1
    assert "do not belong together" in said.pop()
    assert "_auth_user_id" not in client.session


@pytest.fixture(scope="module")
def redis_server() -> Iterator[Valkey]:
    running = valkey.start(Path(servers.new_folder("sign-in")) / "valkey")
    yield running
    running.stop()


@pytest.fixture
def counted(redis_server: Valkey, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Limits are counted, at three wrong passwords a minute, and in Redis alone, however busy the machine is."""
    monkeypatch.setattr(limits, "TIMEOUT_SECONDS", 10)
    settings.REDIS_URL, settings.SIGN_INS_PER_MINUTE = redis_server.url, 3
    limits._breaker.reset()
    limits._client.cache_clear()
    limits._client(redis_server.url).flushall()
    yield
    limits._client.cache_clear()


def said(answer: object) -> str:
    return "too many" if "Too many tries" in answer.content.decode() else str(answer.status_code)


def at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


@pytest.mark.parametrize("page", ["/admin/", "/admin/login/", "/admin/accounts/user/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_admin_has_the_same_door(client: Client, leyla: User, page: str, method: str) -> None:
    answer = getattr(client, method)(page, {"username": "leyla@studio.example", "password": PASSWORD})

    assert answer["Location"].startswith("/desk/sign-in?next=/")
    assert "_auth_user_id" not in client.session


def test_guessing_ends_at_the_limit_of_the_address(leyla: User, counted: None) -> None:
    guesser = at("203.0.113.7")
    answers = [said(sign_in(guesser, f"a{n}@studio.example", "x")) for n in range(5)]

    assert answers[3:] == ["too many"] * 2
    assert "too many" not in answers[:3]


def test_an_account_is_guarded_from_all_addresses_together(leyla: User, counted: None) -> None:
    answers = [said(sign_in(at(f"203.0.113.{number}"), password="wrong")) for number in range(4)]

    assert answers == ["422", "422", "422", "too many"]
    assert said(sign_in(at("203.0.113.9"), "LEYLA@stud\u0131o.example")) == "too many"


def test_a_browser_that_signed_in_before_is_not_kept_out(leyla: User, counted: None) -> None:
    own = at("198.51.100.1")
    sign_in(own)
    send_code(own)
    own.post("/desk/sign-out")
    for number in range(5):
        sign_in(at(f"203.0.113.{number}"), password="wrong")

    assert said(sign_in(at("198.51.100.2"))) == "too many"
    assert said(sign_in(own)) == "302"


def test_a_known_browser_has_a_limit_of_its_own(leyla: User, counted: None) -> None:
    own = at("198.51.100.1")
    sign_in(own)
    send_code(own)
    own.post("/desk/sign-out")
    device = own.cookies["device"].value

    answers = []
    for number in range(4):
        elsewhere = at(f"203.0.113.{number}")
        elsewhere.cookies["device"] = device
        answers.append(said(sign_in(elsewhere, password="wrong")))

    assert answers == ["422", "422", "422", "too many"]
    assert said(sign_in(at("198.51.100.3"))) == "302"


def test_guessing_ends_without_redis_as_well(leyla: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_MINUTE, settings.SIGN_INS_PER_DAY = 3, 100
    guesser = at("203.0.113.7")

    answers = [said(sign_in(guesser, f"a{number}@studio.example", "wrong")) for number in range(4)]

    assert answers == ["422", "422", "422", "too many"]
    assert said(sign_in(at("203.0.113.8"))) == "302"


@pytest.mark.parametrize("value", ["", "x", "WyJhIixbXV0:1abc:forged"])
def test_a_forged_device_cookie_counts_for_nothing(leyla: User, counted: None, value: str) -> None:
    for number in range(3):
        sign_in(at(f"203.0.113.{number}"), password="wrong")
    forger = at("203.0.113.9")
    forger.cookies["device"] = value

    assert said(sign_in(forger)) == "too many"


def test_refused_tries_count_for_no_account(leyla: User, counted: None) -> None:
    used_up = at("203.0.113.7")
    for number in range(3):
        sign_in(used_up, f"a{number}@studio.example", "wrong")
    refused = [said(sign_in(used_up, password="wrong")) for _ in range(5)]

    assert refused == ["too many"] * 5
    assert said(sign_in(at("198.51.100.1"))) == "302"


def test_successful_sign_ins_do_not_count(leyla: User, counted: None) -> None:
    shared = "198.51.100.1"

    assert [said(sign_in(at(shared))) for _ in range(6)] == ["302"] * 6


def test_slow_guessing_ends_for_the_day(leyla: User, counted: None, settings: Settings) -> None:
    settings.SIGN_INS_PER_MINUTE, settings.SIGN_INS_PER_DAY = 1000, 4

    answers = [said(sign_in(at(f"203.0.113.{number}"), password="wrong")) for number in range(5)]

    assert answers == ["422"] * 4 + ["too many"]


def test_an_address_is_the_one_that_our_own_proxy_named(leyla: User, counted: None, settings: Settings) -> None:
    """The first entry of X-Forwarded-For is the client's own claim; addresses of one /64 are one client."""
    settings.TRUSTED_PROXY_COUNT = 1
    headers = [f"192.0.2.{number}, 2001:db8:1:2::{number}" for number in range(4)]
    answers = [
        said(
            Client(headers={"X-Forwarded-For": value}).post(
                "/desk/sign-in", {"login": f"a{number}@studio.example", "password": "x"}
            )
        )
        for number, value in enumerate(headers)
    ]

    assert answers == ["422", "422", "422", "too many"]


def test_signing_out_takes_a_form(client: Client, leyla: User) -> None:
    sign_in_staff(client, leyla)

    assert client.get("/desk/sign-out").status_code == 405
    assert client.get("/desk/").status_code == 200
    assert client.post("/desk/sign-out")["Location"] == "/desk/sign-in"
    assert client.get("/desk/").status_code == 302


def test_somebody_without_a_role_is_told_so(client: Client, studio: Studio) -> None:
    sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", "pass"))

    response = client.get("/desk/")

    assert response.status_code == 403
    assert "You have no role here yet" in response.content.decode()


def test_a_role_taken_away_counts_at_once(client: Client, leyla: User) -> None:
    sign_in_staff(client, leyla)
    leyla.accesses.all().delete()

    assert client.get("/desk/").status_code == 403


def test_pages_of_the_desk_are_never_kept_by_browsers_or_proxies(client: Client, leyla: User) -> None:
    sign_in_staff(client, leyla)

    assert "no-store" in client.get("/desk/")["Cache-Control"]


@pytest.mark.usefixtures("counted")
def test_the_owners_are_told_once_when_guessing_is_stopped_for_the_day(leyla: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_DAY = 3
    factories.desk_user(Role.OWNER, email="olivia@studio.example", name="Olivia")

    for number in range(5):
        for email in ("LEYLA@studio.example", "unknown@studio.example"):
            sign_in(at(f"203.0.113.{number}"), email, "a guess")
    money.deliver(now=clock.now())
    send_due(now=clock.now(), limit=10)

    [told] = mail.outbox
    assert told.to == ["olivia@studio.example"]
    assert told.subject == "Wrong passwords for leyla@studio.example"
    assert "3 times" in told.body
    assert "Leyla Demir has signed in with before" in told.body


@pytest.mark.usefixtures("counted")
def test_the_owners_are_not_told_of_a_few_mistakes(client: Client, leyla: User, settings: Settings) -> None:
    settings.SIGN_INS_PER_DAY = 3
    factories.desk_user(Role.OWNER, email="olivia@studio.example")

    for _ in range(2):
        sign_in(client, password="forgotten")

    assert money.deliver(now=clock.now()) == 0
