"""Pages about customers: the list with its search, and one customer."""

from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from accounts.models import Customer, CustomerTag
from core.csv import csv_response
from core.references import new_token
from dashboard.customers import list_presenter, person_presenter
from dashboard.customers.forms import NoteForm, TagForm
from dashboard.customers.listing import all_in_order, asked_of, page_of, seen_of
from dashboard.customers.person import customer_by_reference, person_of
from dashboard.door import Desk
from dashboard.permissions import Act, locations_visible_to, may
from dashboard.views.pages import desk_page, show

MOST_TAGS_SHOWN = 30


@require_safe
@desk_page
def customers(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show one page of the list. The search field asks for the rows alone while the user types."""
    asked = asked_of(request.GET)
    found = page_of(desk.rights, asked, desk.now)
    if asked.typed:
        desk.note_search(RecordKind.CUSTOMERS, found.count)
    seen = seen_of(desk.rights, found.customers, desk.now)
    tags = list(CustomerTag.objects.values_list("name", flat=True)[:MOST_TAGS_SHOWN])
    context = {
        "page": list_presenter.page_of(found, seen, asked, tags, now=desk.now),
        "may_edit": may(desk.rights, Act.EDIT_CUSTOMERS),
        "may_export": may(desk.rights, Act.EXPORT_CUSTOMERS),
    }
    if request.headers.get("HX-Request"):
        return render(request, "dashboard/customers/_list.html", context)
    return show(request, desk, "dashboard/customers/list.html", context, current="customers")


@require_safe
@desk_page
def customers_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered list, all pages of it, as a CSV file."""
    chunks = all_in_order(desk.rights, asked_of(request.GET), desk.now)
    rows = list_presenter.csv_rows((chunk, seen_of(desk.rights, chunk, desk.now)) for chunk in chunks)
    return csv_response("customers.csv", rows)


@require_safe
@desk_page
def customer(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Show everything about one customer that the reader may see."""
    return person_page(request, desk, open_customer(desk, customer_reference))


def person_page(
    request: HttpRequest,
    desk: Desk,
    found: Customer,
    *,
    note_form: NoteForm | None = None,
    tag_form: TagForm | None = None,
    status: int = 200,
) -> HttpResponse:
    places = list(locations_visible_to(desk.rights))
    page = person_presenter.page_of(
        person_of(desk.rights, found, desk.now),
        zone=ZoneInfo(places[0].time_zone if places else "UTC"),
        now=desk.now,
        sees_money=desk.rights.sees_money,
        shows_all=request.GET.get("visits") == "all",
        reader_id=desk.user.pk,
    )
    context = {
        "page": page,
        "may_edit": may(desk.rights, Act.EDIT_CUSTOMERS),
        "may_note": may(desk.rights, Act.NOTE_CUSTOMERS),
        "may_trust": may(desk.rights, Act.TRUST),
        "may_book": may(desk.rights, Act.BOOK),
        "note_form": note_form or NoteForm(),
        "tag_form": tag_form or TagForm(),
        "request_key": new_token(),
    }
    return show(
        request,
        desk,
        "dashboard/customers/person.html",
        context,
        current="customers",
        places=places,
        status=status,
    )


def open_customer(desk: Desk, reference: str) -> Customer:
    """Return a customer.

    :raises Http404: for an unknown reference, and for a customer whom this user may not see.
    """
    found = customer_by_reference(desk.rights, reference)
    if found is None:
        raise Http404
    return found
