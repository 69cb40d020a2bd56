"""Pages about customers: the list with its search, and one customer."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from accounts.models import Customer, CustomerTag
from core.references import new_token
from dashboard.access_list.listing import last_readings
from dashboard.access_list.presenter import opened_by, readings_url
from dashboard.customers import list_presenter, person_presenter
from dashboard.customers.forms import NoteForm, TagForm
from dashboard.customers.listing import lines_of, listing_for, page_of, seen_of
from dashboard.customers.person import customer_by_reference, erased_by_reference, person_of
from dashboard.door import Desk
from dashboard.lists.address import asked_of
from dashboard.permissions import Act, locations_visible_to, may
from dashboard.views.pages import DeskView, csv_or_list, desk_page, show, show_list
from services.models import Location

MOST_TAGS_SHOWN = 30
P = ParamSpec("P")


class Merged(Exception):
    """A page of a record was asked for that was merged into ``kept``."""

    def __init__(self, kept: Customer) -> None:
        super().__init__()
        self.kept = kept


@require_safe
@desk_page
def customers(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show one page of the list. The search field asks for the rows alone while the user types."""
    asked = asked_of(request.GET, listing_for(desk.rights, desk.now))
    found = page_of(desk.rights, asked, desk.now)
    if asked.value("q"):
        desk.note_search(RecordKind.CUSTOMERS, found.count)
    seen = seen_of(desk.rights, found.rows, desk.now)
    places = list(locations_visible_to(desk.rights))
    tags = list(CustomerTag.objects.values_list("name", flat=True)[:MOST_TAGS_SHOWN])
    page = list_presenter.page_of(
        found,
        seen,
        asked,
        tags,
        now=desk.now,
        zone=ZoneInfo(places[0].time_zone if places else "UTC"),
        may_export=may(desk.rights, Act.EXPORT_CUSTOMERS),
    )
    context = {"may_edit": may(desk.rights, Act.EDIT_CUSTOMERS)}
    return show_list(request, desk, "customers", page, context, current="customers", places=places)


@require_safe
@desk_page
def customers_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered list, all pages of it, as a CSV file."""
    asked = asked_of(request.GET, listing_for(desk.rights, desk.now))
    lines = lines_of(desk.rights, asked, desk.now)
    return csv_or_list(asked, "customers.csv", lines, list_name="desk_customers")


def follows_merge(view: DeskView[P]) -> Callable[..., HttpResponseBase]:
    """Redirect from a page of a merged record to the record that took it over. A form that was sent changes nothing."""

    @wraps(view)
    def followed(request: HttpRequest, desk: Desk, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, desk, *args, **kwargs)
        except Merged as merged:
            text = gettext("The record that you asked for was merged into this one.")
            if request.method == "POST":
                text = f"{text} {gettext('What you sent is not saved. Please do it here.')}"
            messages.info(request, text)
            response = redirect("desk_customer", merged.kept.reference)
            response.status_code = 303 if request.method == "POST" else 302
            return response

    return followed


@require_safe
@desk_page
@follows_merge
def customer(request: HttpRequest, desk: Desk, customer_reference: str) -> HttpResponse:
    """Show everything about one customer that the reader may see. Of an erased one only that it is erased."""
    if erased := erased_by_reference(desk.rights, customer_reference):
        context = {"day": person_presenter.erased_day(erased, _zone(list(locations_visible_to(desk.rights))))}
        return show(request, desk, "dashboard/customers/erased.html", context, current="customers")
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
        zone=_zone(places),
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
        "may_merge": may(desk.rights, Act.MERGE_CUSTOMERS),
        "may_book": may(desk.rights, Act.BOOK),
        "may_handle_privacy": may(desk.rights, Act.HANDLE_PRIVACY),
        **(_opened(found, places) if may(desk.rights, Act.READ_ACCESS_LOG) else {}),
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


def _opened(found: Customer, places: Sequence[Location]) -> dict[str, Any]:
    """Return what the page shows of the access log."""
    return {"opened": opened_by(last_readings(found), _zone(places)), "readings_url": readings_url(found.reference)}


def _zone(places: Sequence[Location]) -> ZoneInfo:
    return ZoneInfo(places[0].time_zone if places else "UTC")


def open_customer(desk: Desk, reference: str) -> Customer:
    """Return a customer.

    :raises Http404: for an unknown reference, and for a customer whom this user may not see.
    :raises Merged: for the reference of a record that was merged into another one.
    """
    found = customer_by_reference(desk.rights, reference)
    if found is None:
        raise Http404
    if found.reference != reference:
        raise Merged(found)
    return found
