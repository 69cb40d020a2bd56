"""Proposals at the desk: a manager proposes, customers see the old values, an owner compares and decides."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from notifications.operations import send_due
from services.enums import Decision
from services.models import OpeningHours, ProposedChange, Service
from services.proposed_values import variant_key
from staff.enums import Role
from staff.models import Access
from tests import factories, journeys
from tests.factories import NOW, Studio
from tests.proposals import approve, propose, propose_new, propose_price
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed

SERVICE = "/desk/proposals/new/service/massage/"
HOURS = "/desk/proposals/new/hours/kreuzberg/"
NEW = "/desk/proposals/new/service/"


@pytest.fixture
def manager(client: Client, studio: Studio) -> Client:
    sign_in_staff(client, factories.desk_user(Role.MANAGER, studio.location, name="Jonas Weber"))
    return client


@pytest.fixture
def owner(studio: Studio) -> Client:
    browser = Client()
    sign_in_staff(browser, factories.desk_user(Role.OWNER, name="Olivia Brandt"))
    return browser


def text(response: HttpResponse) -> str:
    return response.content.decode()


def form_of(client: Client, path: str) -> dict[str, Any]:
    """What the card of a page would send as it stands."""
    return typed(text(client.get(path)).split('<form class="card')[1].split("</form>")[0])


def send(client: Client, path: str, **changes: Any) -> HttpResponse:
    response = client.post(path, {**form_of(client, path), **changes})
    assert isinstance(response, HttpResponse)
    return response


def decide(client: Client, proposal: ProposedChange, answer: str, **changes: Any) -> HttpResponse:
    page = f"/desk/proposals/{proposal.pk}/"
    values = {**form_of(client, page), "answer": answer, **changes}
    response = client.post(f"{page}decide", values)
    assert isinstance(response, HttpResponse)
    return response


def price_key(studio: Studio) -> str:
    return variant_key(studio.variant.pk, "price_minor")


def test_a_manager_proposes_a_price_and_an_owner_approves_it(manager: Client, owner: Client, studio: Studio) -> None:
    response = send(manager, SERVICE, **{price_key(studio): "95.50", "note": "Rents went up."})

    assert response.status_code == 303
    proposal = ProposedChange.objects.get()
    assert (proposal.after, proposal.note) == ({price_key(studio): 9550}, "Rents went up.")
    assert "€80" in text(manager.get("/s/massage/"))
    page = text(owner.get(f"/desk/proposals/{proposal.pk}/"))
    assert (
        page.index("Customers see now") < page.index("€80.00") < page.index("Proposed</small>") < page.index("€95.50")
    )
    assert "Proposed by Jonas Weber, Mon 4 Jan, 07:00" in page
    assert "Rents went up." in page
    assert decide(owner, proposal, "approve").status_code == 303
    assert "€95.50" in text(manager.get("/s/massage/"))
    assert "Approved by Olivia Brandt, Mon 4 Jan, 07:00" in text(manager.get("/desk/proposals/"))


def test_a_rejection_needs_a_reason_that_the_author_reads(manager: Client, owner: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9550)

    refused = decide(owner, proposal, "reject", reason=" ")
    assert refused.status_code == 422
    assert "Say why" in text(refused)
    assert decide(owner, proposal, "reject", reason="Not before spring.").status_code == 303

    page = text(manager.get(f"/desk/proposals/{proposal.pk}/"))
    assert "Rejected by Olivia Brandt" in page
    assert "Not before spring." in page
    assert "€80" in text(manager.get("/s/massage/"))


def test_a_second_decision_is_told_of_the_first(owner: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9550)
    stale = form_of(owner, f"/desk/proposals/{proposal.pk}/")
    decide(owner, proposal, "reject", reason="No")

    again = owner.post(f"/desk/proposals/{proposal.pk}/decide", {**stale, "answer": "approve", "request_key": "x" * 43})

    assert again.status_code == 303
    assert "decided meanwhile" in text(owner.get(f"/desk/proposals/{proposal.pk}/"))
    studio.variant.refresh_from_db()
    assert studio.variant.price_minor == 8000


def test_a_stale_proposal_shows_what_changed_and_asks_again(owner: Client, studio: Studio) -> None:
    first, second = propose_price(studio, 9000), propose_price(studio, 9500)
    approve(first)

    page = text(owner.get(f"/desk/proposals/{second.pk}/"))
    assert "It was “€80.00” when this was proposed." in page
    assert "Changed since" in text(owner.get("/desk/proposals/"))
    refused = decide(owner, second, "approve")
    assert refused.status_code == 409
    assert "Nothing was saved yet" in text(refused)
    assert decide(owner, second, "approve", accepts_news="on").status_code == 303

    studio.variant.refresh_from_db()
    assert studio.variant.price_minor == 9500


def test_a_change_behind_an_open_page_is_shown_first(owner: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9500)
    opened = form_of(owner, f"/desk/proposals/{proposal.pk}/")
    approve(propose_price(studio, 9000))

    refused = owner.post(f"/desk/proposals/{proposal.pk}/decide", {**opened, "answer": "approve", "accepts_news": "on"})

    assert refused.status_code == 409
    assert "It was “€80.00” when this was proposed." in text(refused)
    assert 'name="accepts_news"' in text(refused)
    assert "checked" not in text(refused)


def test_new_hours_list_the_bookings_outside_them_first(manager: Client, owner: Client, studio: Studio) -> None:
    booking = journeys.booked(studio, 10)  # on a Tuesday
    assert send(manager, HOURS, **{"day.1": "14:00–18:00, 19-20:30", "day.6": ""}).status_code == 303
    proposal = ProposedChange.objects.get()
    assert proposal.after == {"day.1": [[840, 1080], [1140, 1230]], "day.6": []}

    asked = decide(owner, proposal, "approve")
    assert asked.status_code == 409
    assert "1 booking would lie outside the new hours" in text(asked)
    assert f'<a href="/desk/bookings/{booking.reference}/"><bdi>Jana Weber</bdi>, Tue 5 Jan, 10:00</a>' in text(asked)
    again = typed(text(asked).split('<form class="card')[1].split("</form>")[0])
    done = owner.post(f"/desk/proposals/{proposal.pk}/decide", {**again, "answer": "approve"})

    assert done.status_code == 303
    assert OpeningHours.objects.filter(location=studio.location, weekday=1).count() == 2
    assert not OpeningHours.objects.filter(location=studio.location, weekday=6).exists()


def test_a_new_service_is_proposed_with_all_it_needs(manager: Client, owner: Client, studio: Studio) -> None:
    wanted = {
        "name": "Foot massage",
        "length_0": "30",
        "price_0": "40",
        "length_1": "1 h",
        "price_1": "70",
        "locations": [str(studio.location.pk)],
        "staff": [str(each.pk) for each in studio.staff],
    }

    assert send(manager, NEW, **wanted).status_code == 303
    proposal = ProposedChange.objects.get()
    assert "Foot massage" not in text(manager.get("/"))
    page = text(owner.get(f"/desk/proposals/{proposal.pk}/"))
    assert "30 min · €40.00" in page
    assert "Marek Nowak, Ana Silva" in page
    assert decide(owner, proposal, "approve").status_code == 303

    assert "Foot massage" in text(manager.get("/"))
    assert manager.get("/s/foot-massage/").status_code == 200


@pytest.mark.parametrize(
    ("path", "changes", "said"),
    [
        (SERVICE, {"work_minutes": "0"}, "At least 5 min."),
        (SERVICE, {"work_minutes": "13 h"}, "At most 720 min."),
        (SERVICE, {"work_minutes": "long"}, "Type a length such as 60 min or 1 h 30 min."),
        (SERVICE, {"buffer_before_minutes": "short"}, "Type a length such as 15 min."),
        (SERVICE, {"price_minor": "-5"}, "Type an amount"),
        (SERVICE, {"price_minor": ""}, "required"),
        (SERVICE, {"buffer_before_minutes": "25 h"}, "At most 240 min."),
        (SERVICE, {"name": " "}, "required"),
        (SERVICE, {"cancellation_policy": "999"}, "999"),
        (SERVICE, {"cancellation_policy": "x' OR 1"}, "not one of the available choices"),
        (SERVICE, {"name": "a\0b"}, "Null characters"),
        (SERVICE, {}, "Nothing is different"),
        (HOURS, {"day.0": "18-9"}, "does not come after"),
        (HOURS, {"day.0": "9-13, 12-18"}, "overlap"),
        (HOURS, {"day.0": "22-34", "day.1": "9-17"}, "overlaps the hours of Monday"),
        (HOURS, {"day.3": "always"}, "Type times such as"),
        (NEW, {"length_0": "60", "price_0": "50"}, "required"),
        (NEW, {"name": "Foot", "length_0": "60", "price_0": "50", "length_1": "30"}, "Fill in both, or neither."),
        (NEW, {"name": "Foot", "length_0": "60", "price_0": "50", "staff": "999"}, "999"),
    ],
)
def test_bad_input_gets_a_sentence_and_proposes_nothing(
    manager: Client, studio: Studio, path: str, changes: dict[str, str], said: str
) -> None:
    of_variant = {"work_minutes", "price_minor"}
    keyed = {variant_key(studio.variant.pk, key) if key in of_variant else key: each for key, each in changes.items()}

    response = send(manager, path, **keyed)

    assert response.status_code == 422
    assert said in text(response)
    assert not ProposedChange.objects.exists()


@pytest.mark.parametrize("seen", ["", "nonsense", "[1, 2]", '{"name": 7}', "[" * 5000])
def test_a_form_with_odd_stamps_is_answered(manager: Client, studio: Studio, seen: str) -> None:
    response = send(manager, SERVICE, seen=seen, **{price_key(studio): "95.50"})

    assert response.status_code in {303, 409}


def test_a_form_that_is_sent_twice_proposes_once(manager: Client, studio: Studio) -> None:
    values = {**form_of(manager, SERVICE), price_key(studio): "95.50"}

    assert [manager.post(SERVICE, values).status_code for _ in range(2)] == [303, 303]

    assert ProposedChange.objects.count() == 1


def test_what_another_user_changes_meanwhile_is_shown_and_the_typed_stays(manager: Client, studio: Studio) -> None:
    values = {**form_of(manager, SERVICE), price_key(studio): "95.50", "summary": "Slow and firm"}
    approve(propose_price(studio, 9000))
    approve(propose(studio.variant.service, name="Deep massage"))

    response = manager.post(SERVICE, values)

    assert response.status_code == 409
    page = text(response)
    assert "60 min · Price is now “€90.00”." in page
    again = typed(page.split('<form class="card')[1].split("</form>")[0])
    assert (again["name"], again["summary"], again[price_key(studio)]) == ("Deep massage", "Slow and firm", "95.50")
    assert manager.post(SERVICE, again).status_code == 303
    made = ProposedChange.objects.get(decision="")
    assert made.after == {price_key(studio): 9550, "summary": "Slow and firm"}


def test_a_manager_withdraws_their_own_proposal_alone(manager: Client, studio: Studio) -> None:
    send(manager, SERVICE, **{price_key(studio): "95.50"})
    own, of_another = ProposedChange.objects.get(), propose_price(studio, 9900)

    assert "Withdraw" in text(manager.get(f"/desk/proposals/{own.pk}/"))
    assert "Withdraw" not in text(manager.get(f"/desk/proposals/{of_another.pk}/"))
    assert manager.post(f"/desk/proposals/{of_another.pk}/withdraw").status_code == 404
    assert manager.post(f"/desk/proposals/{own.pk}/withdraw").status_code == 303
    assert manager.post(f"/desk/proposals/{own.pk}/withdraw").status_code == 303

    own.refresh_from_db()
    assert own.decision == Decision.WITHDRAWN


def test_a_manager_decides_nothing(manager: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9900)

    assert ">Approve" not in text(manager.get(f"/desk/proposals/{proposal.pk}/"))
    for answer in ("approve", "reject"):
        values = {"answer": answer, "reason": "x"}
        assert manager.post(f"/desk/proposals/{proposal.pk}/decide", values).status_code == 404
    assert "Proposed change" not in text(manager.get("/desk/hands/")).split("</header>")[1]


def test_what_belongs_to_another_location_is_not_theirs(manager: Client, studio: Studio) -> None:
    elsewhere = factories.location(name="Alfama", slug="alfama", position=2)
    other = Studio(
        studio.business, elsewhere, factories.service(elsewhere, slug="sauna", name="Sauna"), list(studio.staff)
    )
    proposals = [propose_price(other, 9000), propose(elsewhere, day__6=[]), propose_new(other)]

    for proposal in proposals:
        assert manager.get(f"/desk/proposals/{proposal.pk}/").status_code == 404
        assert manager.post(f"/desk/proposals/{proposal.pk}/withdraw").status_code == 404
    assert "Sauna" not in text(manager.get("/desk/proposals/"))
    assert "Sauna" not in text(manager.get("/desk/proposals/new/"))
    for path in ("/desk/proposals/new/service/sauna/", "/desk/proposals/new/hours/alfama/"):
        assert (manager.get(path).status_code, manager.post(path, {}).status_code) == (404, 404)
    assert "Alfama" not in text(manager.get(NEW))


def test_a_manager_who_lost_the_role_proposes_nothing(manager: Client, studio: Studio) -> None:
    values = {**form_of(manager, SERVICE), price_key(studio): "95.50"}
    Access.objects.update(role=Role.FRONT_DESK)

    assert manager.post(SERVICE, values).status_code == 404
    assert not ProposedChange.objects.exists()


def test_a_service_that_was_deleted_can_only_be_rejected(owner: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9900)
    Service.objects.all().delete()

    refused = decide(owner, proposal, "approve", accepts_news="on")
    assert refused.status_code == 422
    assert "deleted or archived" in text(refused)
    assert "No longer offered" in text(refused)
    assert decide(owner, proposal, "reject", reason="Gone").status_code == 303


def test_the_owner_has_it_on_the_to_do_list(owner: Client, manager: Client, studio: Studio) -> None:
    assert 'class="desk-count"' not in text(owner.get("/desk/proposals/"))
    proposal = propose_price(studio, 9900)

    page = text(owner.get("/desk/hands/"))
    assert "proposes: Service, Deep tissue massage." in page
    assert f'href="/desk/proposals/{proposal.pk}/"' in page
    assert 'class="desk-count"' in page
    assert 'class="desk-count"' not in text(manager.get("/desk/proposals/"))


def test_own_prices_of_therapists_are_named(owner: Client, studio: Studio) -> None:
    studio.staff[1].qualifications.update(price_minor=9900)
    proposal = propose_price(studio, 9000)

    assert "Own prices and lengths for 60 min stay as they are: Ana." in text(
        owner.get(f"/desk/proposals/{proposal.pk}/")
    )


def test_cancellation_rules_are_shown_in_the_words_of_customers(owner: Client, studio: Studio) -> None:
    strict = factories.cancellation_policy((2880, "none", 0), name="Strict")
    proposal = propose(studio.variant.service, cancellation_policy=strict.pk)

    page = text(owner.get(f"/desk/proposals/{proposal.pk}/"))

    assert page.index("Those of the category, else of the business") < page.index("Strict")
    assert page.count("Example: €80.00") == 2


def test_mails_have_the_link_and_the_words(owner: Client, manager: Client, studio: Studio) -> None:
    send(manager, SERVICE, **{price_key(studio): "95.50", "note": "Rents <went> up."})
    proposal = ProposedChange.objects.get()
    send_due(now=NOW, limit=5)
    decide(owner, proposal, "reject", reason="Not before spring.")
    send_due(now=NOW, limit=5)

    proposed, decided = mail.outbox
    assert proposed.subject == "Change proposed: Deep tissue massage"
    assert "Rents <went> up." in str(proposed.body)
    assert f"/desk/proposals/{proposal.pk}/" in str(proposed.body)
    assert decided.subject == "Not approved: Deep tissue massage"
    assert "Not before spring." in str(decided.body)


def test_a_mail_about_a_proposal_that_is_decided_is_not_sent(owner: Client, studio: Studio) -> None:
    proposal = propose_price(studio, 9900)
    decide(owner, proposal, "approve")

    send_due(now=NOW, limit=5)

    assert [each.subject for each in mail.outbox] == ["Approved: Deep tissue massage"]


def test_pages_need_the_same_queries_for_many_proposals(owner: Client, studio: Studio) -> None:
    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(path).status_code == 200
        return len(queries)

    factories.variant(studio.variant.service, minutes=90, price_minor=12000)
    first = propose_price(studio, 9000)
    propose(studio.location, day__6=[])
    propose_new(studio)
    paths = ("/desk/proposals/", f"/desk/proposals/{first.pk}/", SERVICE, "/desk/hands/", "/desk/proposals/new/")
    before = {path: count(path) for path in paths}

    for number in range(3):
        propose_price(studio, 9100 + number)
        approve(propose(studio.variant.service, summary=f"Firm {number}"))
        propose(studio.location, day__5=[])
        propose_new(studio, name=f"Foot {number}")

    assert {path: count(path) for path in paths} == before
    assert max(before.values()) <= 26
