"""Why is this time free, or not? The engine's answer to one question, which the address keeps."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from dashboard.door import Desk
from dashboard.permissions import Act, locations_for
from dashboard.phone_booking.queries import Offered, Person, services_at
from dashboard.views.pages import desk_page, show
from dashboard.why import presenter, queries
from dashboard.why.details import Details
from dashboard.why.forms import WhyForm
from services.models import Location


@require_safe
@desk_page
def why(request: HttpRequest, desk: Desk) -> HttpResponse:
    """Show the question, and the answer once a time is asked about."""
    places = list(locations_for(desk.rights, Act.SEE_PLACE))
    place = next((each for each in places if each.slug == request.GET.get("at", each.slug)), None)
    if place is None:
        raise Http404
    services, people, zone = services_at(place), queries.staff_at(place), ZoneInfo(place.time_zone)
    today = desk.now.astimezone(zone).date()
    initial = {"on": today, **request.GET.dict()}
    data = request.GET if "time" in request.GET else None
    form = WhyForm(data, zone=zone, today=today, services=services, people=people, initial=initial)
    is_asked = form.is_valid()
    context: dict[str, Any] = {
        "form": form,
        "place": place,
        "places": places if len(places) > 1 else [],
        "has_services": bool(services),
        "answer": _answer(desk, _asked(place, services, people, form), people) if is_asked else None,
    }
    status = 422 if form.is_bound and not is_asked else 200
    template = "dashboard/why/page.html"
    return show(request, desk, template, context, current="day", place=place, places=places, status=status)


def _asked(place: Location, services: Sequence[Offered], people: Sequence[Person], form: WhyForm) -> queries.Asked:
    values = form.cleaned_data
    lengths = ((service, each) for service in services for each in service.variants)
    service, variant = next(pair for pair in lengths if str(pair[1].id) == values["variant"])
    person = next((each for each in people if each.slug == values["who"]), None)
    return queries.Asked(place, service, variant, person, values["start"])


def _answer(desk: Desk, asked: queries.Asked, people: Sequence[Person]) -> presenter.Answer:
    inquiry = queries.inquiry(asked, desk.now)
    if asked.person is None and inquiry.needs_staff:
        able = [person for person in people if person.id in asked.variant.people]
        return presenter.person_by_person(desk, inquiry, able)
    person_id = asked.person.id if asked.person else None
    spec, staff = inquiry.spec(person_id), inquiry.facts.staff.get(person_id or 0)
    rooms = queries.rooms_of(inquiry)
    details = Details(
        inquiry,
        person_id,
        rooms,
        of_person=queries.obstacles(
            desk.rights, inquiry, [staff.resource_id] if staff else (), spec.staff_spans() if spec else []
        ),
        of_rooms=queries.obstacles(desk.rights, inquiry, rooms, spec.resource_spans() if spec else []),
    )
    return presenter.rule_by_rule(desk, inquiry, details, people)
