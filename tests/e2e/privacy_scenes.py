"""The pages of privacy, each with the way that leads to it. Importing this adds them to ``scenes.SCENES``."""

import re
from itertools import count

from playwright.sync_api import Page, expect

from tests.e2e.desk_scenes import sign_in
from tests.e2e.scenes import Stage, scene
from tests.stack import Stack

_numbers = count(1)


def settled_customer(page: Page, name: str = "Zelda Quintarelli-Hohenstaufen", note: str = "") -> str:
    """As the signed-in user, add a customer who has no booking, perhaps with a note; return the reference."""
    page.goto("/desk/customers/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("E-mail").fill(f"zelda{next(_numbers)}@example.com")
    page.get_by_role("button", name="Save").or_(page.get_by_role("button", name="Add")).first.click()
    page.wait_for_url(re.compile(r"/desk/customers/[0-9A-Z]{10}/"))
    if note:
        page.get_by_label("Note", exact=True).fill(note)
        page.get_by_role("button", name="Add note").click()
    return page.url.split("/desk/customers/")[1].split("/")[0]


def customer_with_a_visit_ahead(site: Stack) -> str:
    [(reference,)] = site.query(
        "select c.reference from accounts_customer c where c.erased_at is null"
        " and not exists (select 1 from privacy_privacycase p where p.customer_id = c.id)"
        " and exists (select 1 from bookings_booking b where b.customer_id = c.id and b.status = 'confirmed'"
        "   and b.starts_at > now() + interval '1 day') order by c.id limit 1"
    )
    return str(reference)


def note_request(page: Page, reference: str, what: str) -> None:
    """As the owner, note a request from the page of the customer."""
    page.goto(f"/desk/customers/{reference}/")
    page.get_by_role("link", name="Export or erase").click()
    page.get_by_label(what).check()
    page.get_by_label("How did the request come").fill("By e-mail from the address we know; called back.")
    page.get_by_role("button", name="Note the request").click()
    expect(page.get_by_text("Request noted")).to_be_visible()


@scene
def desk_privacy_cases(stage: Stage) -> None:
    sign_in(stage.page)
    note_request(stage.page, settled_customer(stage.page), "A copy of their data")
    note_request(stage.page, customer_with_a_visit_ahead(stage.site), "Erasure of their data")
    stage.page.goto("/desk/privacy/cases/")


@scene
def desk_privacy_case_new(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/privacy/cases/new?customer={settled_customer(stage.page)}")


@scene
def desk_privacy_case(stage: Stage) -> None:
    """Something stands in the way."""
    sign_in(stage.page)
    note_request(stage.page, customer_with_a_visit_ahead(stage.site), "Erasure of their data")
    expect(stage.page.get_by_text("Not yet: something is unfinished")).to_be_visible()


@scene
def desk_privacy_case_erase(stage: Stage) -> None:
    sign_in(stage.page)
    note_request(stage.page, settled_customer(stage.page), "Erasure of their data")
    stage.page.get_by_role("link", name="Erase this customer").click()


@scene
def desk_privacy_case_decline(stage: Stage) -> None:
    sign_in(stage.page)
    note_request(stage.page, settled_customer(stage.page), "A copy of their data")
    stage.page.get_by_role("link", name="Decline").click()


@scene
def desk_privacy(stage: Stage) -> None:
    """Settings that are not saved yet, with what the next night would delete."""
    sign_in(stage.page)
    stage.page.goto("/desk/privacy/")
    stage.page.get_by_label("Bookings", exact=True).fill("1")
    stage.page.get_by_label("Names on receipts").fill("10")
    stage.page.get_by_role("button", name="Show what this deletes").click()
    expect(stage.page.get_by_text("Not saved yet.")).to_be_visible()
    stage.page.locator("summary", has_text="Contact details").click()


@scene
def desk_access(stage: Stage) -> None:
    """The access log after a look at a customer, a refusal and a search."""
    sign_in(stage.page)
    [(reference,)] = stage.site.query("select reference from accounts_customer where name <> '' order by id limit 1")
    for path in (f"/desk/customers/{reference}/", "/desk/bookings/NOSUCH/", "/desk/customers/?q=an"):
        stage.page.goto(path)
    stage.page.goto("/desk/access/")
    expect(stage.page.get_by_text("NOSUCH").first).to_be_visible()


@scene
def desk_access_empty(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/access/?q=zzzzzz&who=nobody")


@scene
def desk_access_alerts(stage: Stage) -> None:
    """One alert that is open, one that was looked into, and the limits with a mistake."""
    stage.change(
        'insert into privacy_readingalert (user_name, rule, "on", count, found_at, settled_by, settled_at) values'
        " ('Ana Silva', 'refused', current_date, 12, now(), '', null),"
        " ('Leyla Demir', 'many', current_date - 1, 1204, now(), 'Olivia Linden', now()) returning 1",
        "delete from privacy_readingalert returning 1",
    )
    sign_in(stage.page)
    stage.page.goto("/desk/access/alerts/")
    stage.page.get_by_label("Records within an hour").fill("-1")
    stage.page.get_by_role("button", name="Save").click()
    expect(stage.page.get_by_text("0 or more.").first).to_be_visible()
