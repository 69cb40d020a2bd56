"""Changing customers at the desk: add, correct, tag, note, block; two people at once; what must not be typed."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpResponse
from django.test import Client

from accounts.models import Customer, CustomerEvent, CustomerNote, CustomerTag
from bookings.errors import CannotBookOnline
from core.references import new_token
from staff.enums import Role
from tests import factories
from tests.desk import at_desk
from tests.factories import NOW, Studio
from tests.journeys import JANA, booked, confirm, hold
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _studio(studio: Studio) -> None:
    """Numbers without a country code are read as those of the business."""


def customer(name: str = "Sofia Kaya", email: str = "sofia@mail.example", **values: Any) -> Customer:
    given = {"phone": "+4915155501827", "created_at": NOW, **values}
    return Customer.objects.create(name=name, email=email, email_normalised=email or None, **given)


def form_of(client: Client, address: str) -> dict[str, Any]:
    html = client.get(address).content.decode()
    return typed(html.split('<form class="card"')[1].split("</form>")[0])


def send(client: Client, address: str, **changes: Any) -> HttpResponse:
    return client.post(address, {**form_of(client, address), **changes})


def test_add_a_customer_by_name_alone(client: Client) -> None:
    at_desk(client)

    response = send(client, "/desk/customers/new", name="  Kim   Doe ")

    made = Customer.objects.get()
    assert response.status_code == 303
    assert response["Location"] == f"/desk/customers/{made.reference}/"
    assert (made.name, made.email, made.email_normalised, made.phone) == ("Kim Doe", "", None, "")
    assert CustomerEvent.objects.get().kind == "added"


def test_a_form_sent_twice_adds_one_customer(client: Client) -> None:
    at_desk(client)
    values = {
        **form_of(client, "/desk/customers/new"),
        "name": "Kim",
        "phone": "0151 55501827",
        "email": "Kim@Mail.example",
    }

    client.post("/desk/customers/new", values)
    # By then the first one has the same number, which the second press would be asked about.
    client.post("/desk/customers/new", {**values, "knows": "1"})

    made = Customer.objects.get()
    assert (made.phone, made.email_normalised) == ("+4915155501827", "kim@mail.example")


def test_who_has_the_same_mail_or_phone_is_shown_before_another_one_is_added(client: Client) -> None:
    at_desk(client)
    known = customer()

    asked = send(client, "/desk/customers/new", name="Emre Kaya", phone="015155501827")
    assert asked.status_code == 422
    html = asked.content.decode()
    assert known.reference in html
    assert "same phone" in html

    again = typed(html.split('<form class="card"')[1].split("</form>")[0])
    assert client.post("/desk/customers/new", again).status_code == 303
    assert Customer.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "Type the name of the customer."),
        ("name", "x" * 10_000, "too long"),
        ("name", "see www.evil.example", "cannot hold a web"),
        ("phone", "12", "There is no such number"),
        ("phone", "٠١٢٣", "no such number"),
        ("email", "kim@@mail.example", "an @ too many"),
        ("email", "%", "e-mail address"),
        ("language", "xx", "xx"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_the_field(client: Client, field: str, value: str, words: str) -> None:
    at_desk(client)

    response = send(client, "/desk/customers/new", **{"name": "Kim", field: value})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not Customer.objects.exists()


@pytest.mark.parametrize("name", ["100% _real_ \\ O'Brien", "🙂", "עדי כהן"])
def test_any_name_of_a_person_is_kept_as_it_is(client: Client, name: str) -> None:
    at_desk(client)

    send(client, "/desk/customers/new", name=name)

    assert Customer.objects.get().name == name


def test_a_new_address_has_to_be_proven_anew(client: Client) -> None:
    at_desk(client)
    known = customer(email_proven_at=NOW)

    assert send(client, f"/desk/customers/{known.reference}/edit", email="new@mail.example").status_code == 303

    known.refresh_from_db()
    assert (known.email, known.email_normalised, known.email_proven_at) == (
        "new@mail.example",
        "new@mail.example",
        None,
    )
    event = CustomerEvent.objects.get()
    assert (event.kind, event.details) == ("contact", {"fields": ["email"]})


def test_the_address_of_another_customer_may_be_shared_and_stays_with_its_owner(client: Client) -> None:
    at_desk(client)
    owner, other = customer(), customer("Emre Kaya", "emre@mail.example", phone="")
    address = f"/desk/customers/{other.reference}/edit"

    assert send(client, address, email="Sofia@mail.example").status_code == 422
    assert send(client, address, email="Sofia@mail.example", knows="1").status_code == 303

    owner.refresh_from_db()
    other.refresh_from_db()
    assert (owner.email_normalised, other.email, other.email_normalised) == (
        "sofia@mail.example",
        "Sofia@mail.example",
        None,
    )


def test_a_mailbox_that_a_booking_takes_at_the_same_moment_stays_with_its_owner(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_desk(client)
    owner, other = customer(), customer("Emre Kaya", "emre@mail.example", phone="")
    address = f"/desk/customers/{other.reference}/edit"
    values = {**form_of(client, address), "email": "sofia@mail.example", "knows": "1"}
    # The owner is not there yet when it is looked for.
    monkeypatch.setattr(QuerySet, "exists", lambda _: False)

    assert client.post(address, values).status_code == 303

    owner.refresh_from_db()
    other.refresh_from_db()
    assert (owner.email_normalised, other.email, other.email_normalised) == (
        "sofia@mail.example",
        "sofia@mail.example",
        None,
    )


def test_the_second_of_two_people_is_told_what_changed_and_overwrites_nothing(client: Client) -> None:
    at_desk(client)
    known = customer()
    address = f"/desk/customers/{known.reference}/edit"
    first, second = form_of(client, address), form_of(client, address)
    client.post(address, {**first, "name": "Sofia Kaya-Müller", "phone": "+4915155501111"})

    stale = client.post(address, {**second, "phone": "+4915155502222"})

    assert stale.status_code == 409
    html = stale.content.decode()
    assert "Name is now “Sofia Kaya-Müller”." in html
    assert "Phone is now “+4915155501111”." in html
    known.refresh_from_db()
    assert (known.name, known.phone) == ("Sofia Kaya-Müller", "+4915155501111")
    # The field that was left alone shows what stands there now, the other one what was typed.
    again = typed(html.split('<form class="card"')[1].split("</form>")[0])
    assert (again["name"], again["phone"]) == ("Sofia Kaya-Müller", "+4915155502222")
    assert client.post(address, again).status_code == 303
    known.refresh_from_db()
    assert (known.name, known.phone) == ("Sofia Kaya-Müller", "+4915155502222")


def test_tags_are_shared_words_and_disappear_with_the_last_customer(client: Client) -> None:
    at_desk(client)
    one, other = customer(), customer("Emre", "emre@mail.example")
    for each, tag in ((one, "Regular"), (one, "regular"), (other, "REGULAR"), (one, "Prefers Ana")):
        assert client.post(f"/desk/customers/{each.reference}/tags", {"tag": tag}).status_code == 303

    one.refresh_from_db()
    other.refresh_from_db()
    assert (one.tags, other.tags) == (["Regular", "Prefers Ana"], ["Regular"])
    assert "?tag=Regular" in client.get("/desk/customers/").content.decode()

    client.post(f"/desk/customers/{one.reference}/tags", {"remove": "Prefers Ana"})
    assert list(CustomerTag.objects.values_list("name", flat=True)) == ["Regular"]


@pytest.mark.parametrize("removed", ["Regular\0", "\0"])
def test_a_tag_to_remove_is_cleaned(client: Client, removed: str) -> None:
    at_desk(client)
    known = customer(tags=["Regular"])

    response = client.post(f"/desk/customers/{known.reference}/tags", {"remove": removed})

    assert response.status_code == (303 if removed.strip("\0") else 422)
    known.refresh_from_db()
    assert known.tags == ([] if removed.strip("\0") else ["Regular"])


@pytest.mark.parametrize("tag", ["", "x" * 31, "a\nb"])
def test_a_tag_that_cannot_be_kept(client: Client, tag: str) -> None:
    at_desk(client)
    known = customer(tags=["Regular"])

    response = client.post(f"/desk/customers/{known.reference}/tags", {"tag": tag})

    assert response.status_code == 422
    assert "Sofia Kaya" in response.content.decode()


def test_an_eleventh_tag_is_refused_with_a_sentence(client: Client) -> None:
    at_desk(client)
    known = customer(tags=[f"Tag {number}" for number in range(10)])

    response = client.post(f"/desk/customers/{known.reference}/tags", {"tag": "One more"})

    assert response.status_code == 422
    assert "A customer can have ten tags. Remove one first." in response.content.decode()


def test_a_note_is_dated_encrypted_and_changed_by_its_author_alone(client: Client) -> None:
    desk = at_desk(client)
    known = customer()
    key = new_token()
    for _ in range(2):
        client.post(f"/desk/customers/{known.reference}/notes", {"text": "No music, please.", "request_key": key})

    note = CustomerNote.objects.get()
    assert (note.text, note.author, note.author_name) == ("No music, please.", desk.user, str(desk.user))
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM accounts_customernote")
        assert "music" not in cursor.fetchone()[0]
    address = f"/desk/customers/{known.reference}/notes/{note.pk}"
    assert send(client, address, text="Quiet room.").status_code == 303
    assert "Quiet room." in client.get(f"/desk/customers/{known.reference}/").content.decode()

    sign_in_staff(client, factories.desk_user(Role.OWNER, None))
    assert "Quiet room." in client.get(f"/desk/customers/{known.reference}/").content.decode()
    assert client.get(address).status_code == 404
    assert client.post(address, {"delete": "1"}).status_code == 404

    sign_in_staff(client, desk.user)
    client.post(address, {"delete": "1"})
    assert not CustomerNote.objects.exists()


def test_a_blocked_customer_cannot_book_online_and_the_page_says_why(client: Client, studio: Studio) -> None:
    at_desk(client, Role.MANAGER)
    known = booked(studio, 10).customer
    assert known
    address = f"/desk/customers/{known.reference}/trust"

    assert send(client, address, is_blocked="on", reason="").status_code == 422
    assert send(client, address, is_blocked="on", reason="Never pays").status_code == 303

    html = client.get(f"/desk/customers/{known.reference}/").content.decode()
    assert "May not book online" in html
    assert "Never pays" in html
    with pytest.raises(CannotBookOnline):
        confirm(hold(studio, 12).booking, contact=replace(JANA, name="Other Name"), has_proven_email=True)


def test_a_stale_page_unblocks_nobody_and_a_second_press_counts_once(client: Client) -> None:
    at_desk(client, Role.MANAGER)
    known = customer()
    address = f"/desk/customers/{known.reference}/trust"
    first, second = form_of(client, address), form_of(client, address)
    for _ in range(2):
        pressed = client.post(address, {**first, "is_blocked": "on", "reason": "Never pays"})
        assert pressed.status_code == 303

    stale = client.post(address, {**second, "is_prepayment_exempt": "on", "reason": "Regular"})

    assert stale.status_code == 409
    assert "Someone else changed this customer meanwhile." in stale.content.decode()
    known.refresh_from_db()
    assert (known.is_blocked, known.is_prepayment_exempt) == (True, False)
    assert CustomerEvent.objects.count() == 1
    again = typed(stale.content.decode().split('<form class="card"')[1].split("</form>")[0])
    assert (again["is_blocked"], again["reason"]) == ("on", "Regular")
    assert client.post(address, {**again, "is_prepayment_exempt": "on"}).status_code == 303
    known.refresh_from_db()
    assert (known.is_blocked, known.is_prepayment_exempt) == (True, True)


def test_a_therapist_notes_on_own_clients_and_edits_nothing(client: Client, studio: Studio) -> None:
    mine = booked(studio, 10)
    assert mine.customer
    stranger = customer("Stranger")
    sign_in_staff(client, factories.desk_user(Role.THERAPIST, None, of=mine))
    address = f"/desk/customers/{mine.customer.reference}"

    html = client.get(f"{address}/").content.decode()
    assert "Edit contact" not in html
    assert client.get(f"{address}/edit").status_code == 404
    assert client.post(f"{address}/tags", {"tag": "x"}).status_code == 404
    assert client.post(f"{address}/notes", {"text": "Left shoulder."}).status_code == 303
    assert client.post(f"/desk/customers/{stranger.reference}/notes", {"text": "x"}).status_code == 404
    assert CustomerNote.objects.get().customer == mine.customer
