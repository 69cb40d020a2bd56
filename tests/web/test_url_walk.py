"""Every address of the site, opened by every kind of visitor.

``config.access.ROWS`` says who may look and who may act. Looking never writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.contact.contact import Contact
from accounts.customer_record import By
from accounts.models import CustomerNote, User
from accounts.staff_session import begin
from bookings.links import LinkRole, manage_token
from bookings.models import Booking, WalkIn
from config.access import ROWS, DeskRow, Proof, Row
from dashboard.permissions import ALLOWED, is_business_wide
from notifications.enums import Channel
from notifications.models import InboundMessage, Notification
from notifications.reports.inbound import store_text
from notifications.unsubscribing import unsubscribe_token
from payments.enums import AlertKind
from payments.models import MoneyAlert
from payments.operations import raise_alert
from payments.operations.receipts import draw_receipt, issue_receipt
from privacy.enums import CaseKind, UnusualReading
from privacy.models import PrivacyCase, ReadingAlert
from privacy.operations.cases import open_case
from services.models import Closure, ProposedChange
from staff.enums import Role
from staff.models import Invitation, TimeOff
from staff.team import Grant, Invited, invite
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import arrived, booked, hold, walk_in
from tests.proposals import propose_price
from tests.signing_in import sign_in_customer, sign_in_staff
from tests.web.conftest import slot

pytestmark = pytest.mark.django_db

# Answers that keep a visitor out; the admin and the desk send to their sign-in instead.
CLOSED = {403, 404, 405}
LINK_ROLES = {
    Proof.GUEST_LINK: LinkRole.GUEST,
    Proof.CUSTOMER_LINK: LinkRole.CUSTOMER,
    Proof.STAFF_LINK: LinkRole.STAFF,
}
STRANGERS = [proof for proof in Proof if proof is not Proof.DESK]
SET_UP = reverse("desk_set_up")
# It opens only while somebody signs in, and sends everybody else to where they can go.
SECOND_STEP = reverse("mfa_authenticate")
ENTER_CODE = reverse("my_code")
# A manager of another location than the booking's.
ELSEWHERE = "elsewhere"


@dataclass
class Visitor:
    """A browser with the one secret that its visitor has. ``role`` is the one at the desk."""

    proof: Proof
    role: Role | None
    is_elsewhere: bool
    client: Client
    token: str
    booking: Booking
    studio: Studio

    def sees(self, row: Row | DeskRow) -> bool:
        return self._has(row, row.see)

    def acts(self, row: Row | DeskRow) -> bool:
        return self._has(row, row.act)

    def _has(self, row: Row | DeskRow, wanted: Any) -> bool:
        if isinstance(row, Row):
            return self.proof in wanted
        if self.role is None or (self.is_elsewhere and row.is_about_booking):
            return False
        if wanted and is_business_wide(wanted) and self.role is not Role.OWNER:
            # The others hold their role at one location.
            return False
        return wanted in ALLOWED[self.role]

    def path(self, name: str) -> str:
        """An address about the booking, a hold or the message of this visitor; each part of it by its name."""
        match name:
            case "admin":
                return reverse("admin:index")
            case "picture":
                stored = default_storage.save("services/walk.png", ContentFile(b"1"))
                return reverse(name, args=stored.split("/"))
            case "unsubscribe" if self.proof is Proof.CUSTOMER_LINK:
                return reverse(name, args=[unsubscribe_token(self.booking.contact_email)])
            case "desk_message_again":
                sent = Notification.objects.filter(subject_ref=f"booking:{self.booking.pk}").earliest("pk")
                return reverse(name, args=[sent.pk])
        values = {
            "token": self.token,
            "reference": self.booking.reference,
            "customer_reference": self.booking.customer.reference if self.booking.customer else "",
            "slug": self.studio.variant.service.slug,
            "number": "2027-000001",
            "rest": ".",
            "note_id": CustomerNote.objects.get().pk,
            "alert_id": MoneyAlert.objects.get().pk,
            "message_id": InboundMessage.objects.get().pk,
            "walk_in_id": WalkIn.objects.get().pk,
            "time_off_id": TimeOff.objects.get().pk,
            "proposal_id": ProposedChange.objects.get().pk,
            "reading_alert_id": ReadingAlert.objects.get().pk,
            "case_reference": PrivacyCase.objects.get().reference,
            "place": self.studio.location.slug,
            "closure_id": Closure.objects.get().pk,
            "user_id": User.objects.get(email="colleague@studio.example").pk,
            "invitation_id": Invitation.objects.get().pk,
            "authenticator_id": 1,
            "session_id": 1,
            "provider_id": "sso",
            "kind": "reminder",
            "role": "customer",
            "channel": "email",
        }
        if name == "desk_privacy_case_new":
            return f"{reverse(name)}?customer={values['customer_reference']}"
        (_, parts), *_ = get_resolver().reverse_dict.getlist(name)[0][0]
        return reverse(name, kwargs={part: values[part] for part in parts})

    def more_paths(self) -> list[str]:
        """Addresses with something in them that a page has to think about; the admin's for whom it opens."""
        paths = [f"{self.path('move')}?slot={slot(self.studio, 16)}", f"{self.path('picker')}?day=2027-01-05"]
        return paths + (list(admin_pages()) if self.proof is Proof.ADMIN else [])

    def sent(self, name: str) -> dict[str, str]:
        """A form that would be complete; without it even a permitted POST may find nothing to do."""
        if name == "hold":
            return {
                "variant": str(self.studio.variant.pk),
                "slot": slot(self.studio, 16),
                "staff": "",
                "next": "details",
            }
        return {}


@pytest.fixture(params=[*STRANGERS, *Role, ELSEWHERE], ids=str)
def visitor(request: pytest.FixtureRequest, client: Client, studio: Studio) -> Visitor:
    held, booking = hold(studio, 14), booked(studio, 10)
    receipt = issue_receipt(payment_id=arrived(booking, 1600).pk, now=NOW)
    assert receipt
    draw_receipt(receipt_id=receipt.pk, now=NOW)
    raise_alert(kind=AlertKind.STUCK, key="1", subject_ref=f"booking:{booking.pk}", now=booking.created_at)
    store_text(
        provider_ref="SM1",
        channel=Channel.SMS,
        sender=booking.contact_phone,
        text="I am late",
        opt_out="",
        now=NOW,
    )
    factories.time_off(studio.staff[0].resource, studio.at(9, days=30), studio.at(12, days=30))
    walk_in(studio)
    Closure.objects.create(location=studio.location, on=studio.at(9, days=31).date())
    proof = request.param if isinstance(request.param, Proof) else Proof.DESK
    role: Role | None = None
    token = "no-such-token"
    if proof is Proof.HOLD:
        token = held.token
    elif proof in LINK_ROLES:
        token = manage_token(booking, LINK_ROLES[proof])
        client.cookies[f"pay_{booking.reference}"] = token
    elif proof is Proof.CUSTOMER:
        assert booking.customer
        sign_in_customer(client, booking.customer)
        token = client.cookies[f"pay_{booking.reference}"] = booking.reference
    elif proof is Proof.PASSWORD:
        client.force_login(factories.desk_user(Role.OWNER))
        session = client.session
        begin(session, now=NOW)
        session.save()
    elif proof is Proof.ADMIN:
        sign_in_staff(client, User.objects.create_superuser("olivia@studio.example", "pass"))
    elif proof is Proof.DESK:
        is_elsewhere = request.param == ELSEWHERE
        role = Role.MANAGER if is_elsewhere else request.param
        place = factories.location(name="Alfama") if is_elsewhere else studio.location
        sign_in_staff(client, factories.desk_user(role, place, of=booking))
    user = User.objects.filter(pk=client.session.get("_auth_user_id")).first()
    propose_price(studio, 9000, user)
    factories.desk_user(Role.FRONT_DESK, email="colleague@studio.example")
    invite(Invited("new@studio.example", "", [Grant(Role.AUDITOR)]), by=user, now=NOW)
    open_case(
        customer_id=booking.customer_id or 0,
        kind=CaseKind.ERASURE,
        note="By e-mail",
        asked_on=NOW.date(),
        by=By(None, "Olivia"),
        now=NOW,
    )
    ReadingAlert.objects.create(user=user, rule=UnusualReading.MANY, on=NOW.date(), count=99, found_at=NOW)
    CustomerNote.objects.create(
        customer=booking.customer,
        text="Likes the room warm.",
        author=user,
        author_name="Leyla",
        created_at=NOW,
    )
    return Visitor(proof, role, request.param == ELSEWHERE, client, token, booking, studio)


def is_open(response: HttpResponse) -> bool:
    doors = (reverse("account_login"), SET_UP, reverse("my_sign_in"))
    is_sent_away = response.get("Location", "").startswith(tuple(f"{door}?next=" for door in doors))
    is_sent_away |= response.status_code == 302 and response.request["PATH_INFO"] in {SECOND_STEP, ENTER_CODE}
    return response.status_code not in CLOSED and not is_sent_away


def checksum() -> dict[str, str]:
    """One sum per table, of everything but sessions, the counts of limits and the access log."""
    sums = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in ("django_session", "core_limitcount", "accounts_accesslog"):
                continue
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{table}\" t"
            )
            sums[table] = cursor.fetchone()[0]
    return sums


def test_each_visitor_sees_what_the_table_says_and_looking_changes_nothing(visitor: Visitor) -> None:
    """One walk by GET, HEAD and OPTIONS. Pages that are closed look like pages that do not exist."""
    client = visitor.client
    nothing = client.get(reverse("manage", args=["no-such-link"])).content
    without_cookie = client.get(reverse("pay", args=["ZZZZZZ"])).content
    before = checksum()

    for name, row in ROWS.items():
        path, sees = visitor.path(name), visitor.sees(row)
        page, glance = client.get(path), client.head(path)
        assert page.status_code < 500
        assert (is_open(page), is_open(glance)) == (sees, sees), (name, page.status_code, glance.status_code)
        assert sees or page.status_code != 404 or page.content in {nothing, without_cookie}, name
        assert client.options(path).status_code < 500, name
    for path in visitor.more_paths():
        for method in (client.get, client.head, client.options):
            assert method(path).status_code < 500, path

    assert checksum() == before


def test_each_visitor_acts_where_the_table_says(visitor: Visitor) -> None:
    cookies = visitor.client.cookies.output(header="", sep=";")

    for name, row in ROWS.items():
        with transaction.atomic():
            response = visitor.client.post(visitor.path(name), visitor.sent(name))
            transaction.set_rollback(True)
        # One of the addresses signs out.
        visitor.client.cookies = SimpleCookie(cookies)

        assert response.status_code < 500
        assert is_open(response) == visitor.acts(row), (name, response.status_code)


@pytest.mark.parametrize("visitor", [Proof.CUSTOMER], indirect=True)
def test_a_signed_in_customer_opens_nothing_of_another_one(visitor: Visitor) -> None:
    """The addresses are right and the cookie of the paying page too, only the booking is of somebody else."""
    other = booked(visitor.studio, 12, contact=Contact("Emil Brandt", "emil@example.com", "+4915155501828", ""))
    assert other.customer_id != visitor.booking.customer_id
    visitor.booking, visitor.token = other, other.reference
    visitor.client.cookies[f"pay_{other.reference}"] = other.reference
    of_bookings = [name for name, row in ROWS.items() if isinstance(row, Row) and Proof.CUSTOMER in row.see | row.act]
    paths = {name: visitor.path(name) for name in of_bookings}
    about_one = {name: path for name, path in paths.items() if other.reference in path}
    assert len(about_one) == 18

    for name, path in about_one.items():
        with transaction.atomic():
            statuses = {visitor.client.get(path).status_code, visitor.client.post(path).status_code}
            transaction.set_rollback(True)
        assert statuses <= {404, 405}, name
        assert 404 in statuses, name


def test_the_checksum_notices_a_change(studio: Studio) -> None:
    before = checksum()
    hold(studio)

    changed = {table for table, value in checksum().items() if value != before[table]}
    assert changed == {"bookings_booking", "bookings_bookingline", "bookings_allocation", "bookings_bookingevent"}


def admin_pages() -> Iterator[str]:
    """The list of each model, the form for a new one, and the form of each row."""
    for model in admin.site._registry:
        base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{base}_changelist")
        yield reverse(f"{base}_add")
        for key in model._default_manager.values_list("pk", flat=True)[:1]:
            yield reverse(f"{base}_change", args=[key])
