"""The page of one booking at the desk."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from bookings.models import Booking
from bookings.queries.help_messages import help_thread
from bookings.queries.money import money_of
from bookings.queries.payables import payable
from dashboard import queries
from dashboard.door import Desk
from dashboard.message_log import failed_count
from dashboard.permissions import Act, can
from dashboard.presenters import booking as presenter
from dashboard.presenters.actions import actions_of, leading_back
from dashboard.presenters.confirmations import conversation
from dashboard.presenters.history import history
from dashboard.presenters.message_log import failed_text
from dashboard.presenters.money import ledger_of, receipt_rows
from dashboard.presenters.undo import undo_of
from dashboard.views.pages import desk_page, list_link, show
from dashboard.visits import visits_before


@require_safe
@desk_page
def booking(request: HttpRequest, desk: Desk, reference: str) -> HttpResponse:
    """Show a booking and the actions that are possible now."""
    return booking_page(request, desk, open_booking(desk, reference))


def open_booking(desk: Desk, reference: str) -> Booking:
    """Return a visible booking with its details.

    :raises Http404: for an unknown reference, and for a booking that this user may not see.
    """
    found = queries.booking_by_reference(desk.rights, reference)
    if found is None:
        raise Http404
    return found


def booking_page(
    request: HttpRequest, desk: Desk, booking: Booking, *, problem: object = "", status: int = 200
) -> HttpResponse:
    context = {"problem": problem, **booking_context(desk, booking)}
    if back := list_link(request.GET.get("back", "")):
        context["back"] = back
    return show(request, desk, "dashboard/booking.html", context, current="day", place=booking.location, status=status)


def booking_context(desk: Desk, booking: Booking, *, back: str = "") -> dict[str, Any]:
    """Return the context of the booking's page and of its panel in the calendar. Actions lead ``back`` to an address of
    the calendar, else to the page of the booking.
    """
    money = money_of(booking)
    sees_messages = can(desk.rights, Act.SEE_PLACE, booking)
    actions = actions_of(booking, money, desk.rights, payable(booking, desk.now), now=desk.now)
    return {
        "actions": leading_back(actions, back) if back else actions,
        "back_to": back,
        "conversation": conversation(help_thread(booking), booking),
        "ledger": ledger_of(booking, money, now=desk.now),
        "receipts": receipt_rows(booking, money) if can(desk.rights, Act.READ_RECEIPTS, booking) else [],
        "back": presenter.day_link(booking),
        "card": presenter.card_of(booking, visits_before(desk.rights, booking), now=desk.now),
        "history": history(booking, now=desk.now),
        "undo": undo_of(booking, desk.rights, now=desk.now),
        "sees_messages": sees_messages,
        "failed": failed_text(failed_count(booking)) if sees_messages else "",
    }
