"""The access log: who read which record, and its CSV. Reading the log is logged as well."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.enums import RecordKind
from dashboard.access_list import presenter
from dashboard.access_list.listing import from_elsewhere, lines_of, listing_for, names_of, page_of
from dashboard.door import Desk
from dashboard.lists.address import asked_of
from dashboard.permissions import Act, may
from dashboard.views.pages import csv_or_list, desk_page, show_list
from services.queries import zone_of_business


@require_safe
@desk_page
def readings(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show one page of the log. A narrowed list is logged as a search, with the number of results."""
    zone = zone_of_business()
    asked = asked_of(request.GET, listing_for())
    found = page_of(asked, zone)
    if asked.values:
        desk.note_search(RecordKind.ACCESS, found.count)
    else:
        desk.note_reading(RecordKind.ACCESS, "")
    page = presenter.page_of(
        found,
        names_of(found.rows),
        from_elsewhere(found.rows),
        asked,
        zone=zone,
        today=desk.now.astimezone(zone).date(),
        may_export=may(desk.rights, Act.EXPORT_ACCESS_LOG),
    )
    return show_list(request, desk, "access_list", page, current="access")


@require_safe
@desk_page
def readings_csv(request: HttpRequest, desk: Desk) -> HttpResponseBase:
    """Send the filtered log, all pages of it, as a CSV file. It names users, and records by their references only."""
    asked = asked_of(request.GET, listing_for())
    lines = lines_of(asked, zone_of_business())
    return csv_or_list(asked, "access-log.csv", lines, list_name="desk_access")
