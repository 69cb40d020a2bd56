"""Steps at the desk for tests: a signed-in user, a confirming page, and the data that its form sends."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from bookings.models import Booking
from core import clock
from payments.enums import Method, PaymentStatus, Purpose
from payments.models import Payment
from payments.operations import record_payment
from services.models import Location
from staff.enums import Role
from tests import factories
from tests.signing_in import sign_in_staff
from tests.web.page_forms import typed


@dataclass
class DeskClient:
    """A browser of somebody with a role."""

    client: Client
    user: User

    def page(self, booking: Booking, step: str = "", **query: Any) -> HttpResponse:
        return self.client.get(f"/desk/bookings/{booking.reference}/{step}", query)

    def form(self, booking: Booking, step: str, **query: Any) -> dict[str, Any]:
        """What a page's form would send as it stands."""
        html = self.page(booking, step, **query).content.decode()
        return typed(html.split('<form class="card"')[1].split("</form>")[0])

    def send(self, booking: Booking, step: str, values: dict[str, Any], **changes: Any) -> HttpResponse:
        """Send a form with changes. A page that wants its sum confirmed shows again, with 200."""
        return self.client.post(f"/desk/bookings/{booking.reference}/{step}", {**values, **changes})

    def do(self, booking: Booking, step: str, *, query: dict[str, Any] | None = None, **changes: Any) -> HttpResponse:
        """Open a page, change its form, press its button, and once more where the page names another sum first."""
        response = self.send(booking, step, self.form(booking, step, **(query or {})), **changes)
        if response.status_code == 200 and "Nothing is done yet" in response.content.decode():
            html = response.content.decode()
            again = typed(html.split('<form class="card"')[1].split("</form>")[0])
            return self.send(booking, step, again, **{name: changes[name] for name in {"answer"} & set(changes)})
        return response


def at_desk(client: Client, role: Role = Role.FRONT_DESK, place: Location | None = None, **values: Any) -> DeskClient:
    user = factories.desk_user(role, place, **values)
    sign_in_staff(client, user)
    return DeskClient(client, user)


def cash(booking: Booking, amount_minor: int, *, method: Method = Method.CASH, key: str = "") -> Payment:
    """Money taken at the desk, as a row alone."""
    return record_payment(
        bill_id=booking.bill_id or 0,
        subject_ref=f"booking:{booking.pk}",
        purpose=Purpose.BALANCE,
        method=method,
        amount_minor=amount_minor,
        actor_id=None,
        actor_name="Leyla",
        note="",
        request_key=key or f"key-{Payment.objects.count()}",
        now=clock.now(),
    )


def by_card(booking: Booking, amount_minor: int) -> Payment:
    """An online payment that has succeeded, as a row alone."""
    return Payment.objects.create(
        bill_id=booking.bill_id,
        subject_ref=f"booking:{booking.pk}",
        purpose=Purpose.BOOKING,
        method=Method.STRIPE,
        status=PaymentStatus.SUCCEEDED,
        currency=booking.currency,
        amount_minor=amount_minor,
        intent_id=f"pi_{booking.pk}",
        method_type="card",
        card_brand="visa",
        card_last4="4242",
        created_at=clock.now(),
        succeeded_at=clock.now(),
    )
