"""Every address of the site with every role.

The table in ``permissions`` says who may look and who may act; looking never writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from http.cookies import SimpleCookie

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import User
from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from config.access import RULES, Role
from notifications.enums import Channel
from notifications.models import InboundMessage, Notification
from notifications.reports.inbound import store_text
from notifications.unsubscribing import unsubscribe_token
from payments.enums import AlertKind
from payments.models import MoneyAlert
from payments.operations import raise_alert
from payments.operations.receipts import draw_receipt, issue_receipt
from staff import enums as desk
from tests import factories
from tests.factories import NOW, Studio
from tests.journeys import arrived, booked, hold
from tests.web.conftest import slot

pytestmark = pytest.mark.django_db

# Answers that keep somebody out; the admin and the desk send to their sign-in instead.
CLOSED = {403, 404, 405}
DESK_ROLES = {
    Role.OWNER: desk.Role.OWNER,
    Role.MANAGER: desk.Role.MANAGER,
    Role.FRONT_DESK: desk.Role.FRONT_DESK,
    Role.THERAPIST: desk.Role.THERAPIST,
    Role.AUDITOR: desk.Role.AUDITOR,
    Role.ELSEWHERE: desk.Role.MANAGER,
}
LINK_ROLES = {Role.GUEST: LinkRole.GUEST, Role.CUSTOMER: LinkRole.CUSTOMER, Role.STAFF_LINK: LinkRole.STAFF}


@dataclass
class Visitor:
    """A browser with the one secret that its role has."""

    role: Role
    client: Client
    token: str
    booking: Booking
    studio: Studio

    def path(self, name: str) -> str:
        match name:
            case "picture":
                stored = default_storage.save("services/walk.png", ContentFile(b"1"))
                return reverse(name, args=stored.split("/"))
            case "admin":
                return reverse("admin:index")
            case "picker" | "hold":
                return reverse(name, args=[self.studio.variant.service.slug])
            case "manage_trimmed":
                return reverse(name, args=[self.token, "."])
            case (
                "details"
                | "extras"
                | "again"
                | "release"
                | "manage"
                | "confirmed"
                | "book_by_mail"
                | "move"
                | "stay"
                | "cancel"
                | "coming"
                | "message_choices"
                | "push"
                | "calendar"
            ):
                return reverse(name, args=[self.token])
            case "unsubscribe":
                is_owner = self.role is Role.CUSTOMER
                return reverse(name, args=[unsubscribe_token(self.booking.contact_email) if is_owner else self.token])
            case "receipt" | "receipt_pdf":
                return reverse(name, args=[self.token, "2027-000001"])
            case "desk_booking_receipt" | "desk_booking_receipt_pdf":
                return reverse(name, args=[self.booking.reference, "2027-000001"])
            case "pay_link":
                return reverse(name, args=[self.token])
            case _ if name.startswith("pay"):
                return reverse(name, args=[self.booking.reference])
            case "desk_alert":
                return reverse(name, args=[MoneyAlert.objects.get().pk])
            case "desk_text_stop" | "desk_text_done":
                return reverse(name, args=[InboundMessage.objects.get().pk])
            case "desk_message":
                return reverse(name, args=["reminder", "customer"])
            case "desk_message_text" | "desk_message_preview":
                return reverse(name, args=["confirmed", "customer", "email"])
            case "desk_message_again":
                sent = Notification.objects.filter(subject_ref=f"booking:{self.booking.pk}").earliest("pk")
                return reverse(name, args=[sent.pk])
            case _ if name.startswith("desk_booking"):
                return reverse(name, args=[self.booking.reference])
            case _:
                return reverse(name)

    def more_paths(self) -> list[str]:
        """Addresses with something in them that a page has to think about; the admin's for whom it opens."""
        paths = [f"{self.path('move')}?slot={slot(self.studio, 16)}", f"{self.path('picker')}?day=2027-01-05"]
        return paths + (list(admin_pages()) if self.role is Role.ADMIN else [])

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


@pytest.fixture(params=list(Role), ids=str)
def visitor(request: pytest.FixtureRequest, client: Client, studio: Studio) -> Visitor:
    role: Role = request.param
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
    token = "no-such-token"
    if role is Role.HOLDER:
        token = held.token
    elif role in LINK_ROLES:
        token = manage_token(booking, LINK_ROLES[role])
        client.cookies[f"pay_{booking.reference}"] = token
    elif role is Role.ADMIN:
        client.force_login(User.objects.create_superuser("olivia@studio.example", "pass"))
    elif role in DESK_ROLES:
        place = factories.location(name="Alfama") if role is Role.ELSEWHERE else studio.location
        client.force_login(factories.desk_user(DESK_ROLES[role], place, of=booking))
    return Visitor(role, client, token, booking, studio)


def names(patterns: list[URLPattern | URLResolver], namespace: str = "") -> Iterator[str]:
    """Every address by its name; those of a namespace by the namespace."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = pattern.namespace or namespace
            yield from {inner} if inner else names(pattern.url_patterns)
        else:
            yield pattern.name or str(pattern.pattern)


def is_open(response: HttpResponse) -> bool:
    to_sign_in = response.get("Location", "").startswith((reverse("admin:login"), f"{reverse('desk_sign_in')}?next="))
    return response.status_code not in CLOSED and not to_sign_in


def checksum() -> dict[str, str]:
    """One sum per table, of everything but the sessions of those who sign in and the counts of limits."""
    sums = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table in ("django_session", "core_limitcount"):
                continue
            cursor.execute(
                f"SELECT md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM \"{table}\" t"
            )
            sums[table] = cursor.fetchone()[0]
    return sums


def test_every_address_has_a_rule() -> None:
    assert set(names(get_resolver().url_patterns)) == set(RULES)


def test_everybody_sees_what_the_table_says_and_looking_changes_nothing(visitor: Visitor) -> None:
    """One walk by GET, HEAD and OPTIONS. Pages that are closed look like pages that do not exist."""
    client = visitor.client
    nothing = client.get(reverse("manage", args=["no-such-link"])).content
    without_cookie = client.get(reverse("pay", args=["ZZZZZZ"])).content
    before = checksum()

    for name, rule in RULES.items():
        path, sees = visitor.path(name), visitor.role in rule.see
        page, glance = client.get(path), client.head(path)
        assert page.status_code < 500
        assert (is_open(page), is_open(glance)) == (sees, sees), (name, page.status_code, glance.status_code)
        assert sees or page.status_code != 404 or page.content in {nothing, without_cookie}, name
        assert client.options(path).status_code < 500, name
    for path in visitor.more_paths():
        for method in (client.get, client.head, client.options):
            assert method(path).status_code < 500, path

    assert checksum() == before


def test_everybody_acts_where_the_table_says(visitor: Visitor) -> None:
    cookies = visitor.client.cookies.output(header="", sep=";")

    for name, rule in RULES.items():
        with transaction.atomic():
            response = visitor.client.post(visitor.path(name), visitor.sent(name))
            transaction.set_rollback(True)
        # Whoever has just signed out is back for the next address.
        visitor.client.cookies = SimpleCookie(cookies)

        assert response.status_code < 500
        assert is_open(response) == (visitor.role in rule.act), (name, response.status_code)


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
