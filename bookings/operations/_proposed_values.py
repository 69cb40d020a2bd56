"""Reads, checks and applies proposed values. Every change is checked by the models' own rules, as in the admin."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, Model
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext, ngettext

from bookings.errors import BookingsOutside, ProposalUnfit
from bookings.operations.hours_change import hours_in_use, note_hours_change
from bookings.queries.dependents import stranded_bookings
from core.formats import minutes_text, weekday_names
from core.locks import one_at_a_time
from services import proposed_values as shape
from services.enums import PaymentMode
from services.models import (
    CancellationPolicy,
    Category,
    Location,
    OpeningHours,
    ResourceRequirement,
    ResourceType,
    Service,
    ServiceVariant,
)
from services.operations import lock_location_time
from services.proposed_values import Values
from services.queries import effective_policy, usual_tax_basis_points
from services.week import days_that_overlap
from staff.models import Qualification, StaffMember

# What ids in proposed values refer to, by key.
_REFERENCES: Mapping[str, type[Model]] = {
    "category": Category,
    "cancellation_policy": CancellationPolicy,
    "locations": Location,
    "staff": StaffMember,
    "resource_types": ResourceType,
}
_SWITCHED_OFF = (Location, StaffMember)


def locked_values(subject: Service | Location) -> Values:
    """Lock what an approval would change, read ``subject`` again, and return its values; empty if it was deleted."""
    if isinstance(subject, Location):
        lock_location_time(subject.pk)
        return shape.of_hours(OpeningHours.objects.filter(location=subject))
    if not Service.objects.select_for_update(no_key=True).filter(pk=subject.pk):
        return {}
    list(ServiceVariant.objects.select_for_update(no_key=True).filter(service=subject).order_by("pk"))
    subject.refresh_from_db()
    return shape.of_service(subject)


def names_in(*values: Mapping[str, Any]) -> dict[str, str]:
    """Return what the ids in these values are called now: ``{"variant.3": "60 min", "staff.7": "Ana Silva"}``."""
    names: dict[str, str] = {}
    lengths = {found[0] for each in values for key in each if (found := shape.variant_of(key))}
    for variant in ServiceVariant.objects.filter(pk__in=lengths):
        names[f"variant.{variant.pk}"] = variant.name or minutes_text(variant.duration_minutes)
    for key, model in _REFERENCES.items():
        ids = {pk for each in values for pk in _ids(each.get(key))}
        names |= {f"{key}.{row.pk}": str(row) for row in model._default_manager.filter(pk__in=ids)}
    return names


def check(subject: Service | Location, current: Values, after: Mapping[str, Any]) -> None:
    """Refuse values that the catalogue would not take.

    :raises ProposalUnfit: with the sentences of the models' rules.
    """
    if isinstance(subject, Location):
        _new_hours(subject, current, after)
    else:
        _changed_rows(subject, after)


def check_new(values: Mapping[str, Any]) -> None:
    """Do the same for a new service."""
    _validated([_new_service(values), *_new_lengths(Service(), values)])


def change_service(service: Service, after: Mapping[str, Any]) -> None:
    for row, names in _changed_rows(service, after):
        row.save(update_fields=sorted(names))


def change_hours(
    location: Location, current: Values, after: Mapping[str, Any], *, accepted: Collection[int], now: datetime
) -> None:
    """Replace the hours of the proposed weekdays, and note the bookings that this puts outside them.

    The resources are locked, so no booking is made meanwhile.

    :raises BookingsOutside: when further bookings than ``accepted`` would lie outside the hours.
    """
    rows = _new_hours(location, current, after)
    resource_ids = lock_location_time(location.pk)
    before = {each.booking_id for each in stranded_bookings(resource_ids, now=now)}
    hours_before = hours_in_use(resource_ids, now=now)
    weekdays = [shape.weekday_of(key) for key in after]
    OpeningHours.objects.filter(location=location, weekday__in=weekdays).delete()
    OpeningHours.objects.bulk_create(rows)
    found = [each.booking_id for each in stranded_bookings(resource_ids, now=now) if each.booking_id not in before]
    if not set(found) <= set(accepted):
        raise BookingsOutside(booking_ids=found)
    note_hours_change(resource_ids, hours_before, now=now)


def add_service(values: Mapping[str, Any], names: Mapping[str, str]) -> Service:
    """Make the service with its lengths, places, rooms and staff members, so that customers can book it at once."""
    _refuse_gone(values, names)
    one_at_a_time("services.slug")
    service = _new_service(values)
    last = Service.objects.filter(category_id=values["category"]).aggregate(last=Max("position"))["last"]
    service.position = 0 if last is None else min(last + 1, 32_767)
    _validated([service])
    service.save()
    service.locations.set(values["locations"])
    lengths = _new_lengths(service, values)
    _validated(lengths)
    for variant in lengths:
        variant.save()
    ResourceRequirement.objects.bulk_create(
        ResourceRequirement(service=service, resource_type_id=pk) for pk in values["resource_types"]
    )
    Qualification.objects.bulk_create(
        Qualification(staff_member_id=pk, variant=variant) for pk in values["staff"] for variant in lengths
    )
    return service


def _changed_rows(service: Service, after: Mapping[str, Any]) -> list[tuple[Service | ServiceVariant, set[str]]]:
    """Return the rows of a service with the proposed values set, not saved, each with the names of its new values."""
    offered = {each.pk: each for each in service.variants.filter(is_active=True)}
    changed: dict[Service | ServiceVariant, set[str]] = {}
    for key, value in after.items():
        row: Service | ServiceVariant = service
        name = key
        if length := shape.variant_of(key):
            if length[0] not in offered:
                raise ProposalUnfit(
                    gettext("A length that should change is no longer offered. Please reject the proposal.")
                )
            row, name = offered[length[0]], length[1]
        setattr(row, shape.column(name), value)
        changed.setdefault(row, set()).add(name)
    for row, names in changed.items():
        _validate(row, names)
    if "cancellation_policy" in after:
        _refuse_missing_deposit(service)
    return list(changed.items())


def _refuse_missing_deposit(service: Service) -> None:
    if service.payment_mode != PaymentMode.DEPOSIT or service.deposit_kind:
        return
    policy = effective_policy(service.cancellation_policy, service.category)
    if not (policy and policy.deposit_value):
        raise ProposalUnfit(
            gettext("This service asks for a deposit, and the cancellation rules name none. Choose other rules.")
        )


def _new_hours(location: Location, current: Values, after: Mapping[str, Any]) -> list[OpeningHours]:
    """Return the rows of the proposed weekdays, not saved."""
    week = {shape.weekday_of(key): intervals for key, intervals in {**current, **after}.items()}
    if days := days_that_overlap(week):
        first, second = (weekday_names()[day][1] for day in days)
        raise ProposalUnfit(
            gettext("The hours of %(first)s and %(second)s overlap.") % {"first": first, "second": second}
        )
    rows = [
        OpeningHours(location=location, weekday=shape.weekday_of(key), start_minute=start, end_minute=end)
        for key, intervals in after.items()
        for start, end in intervals
    ]
    _validated(rows)
    return rows


def _new_service(values: Mapping[str, Any]) -> Service:
    columns = {shape.column(name): values[name] for name in shape.SERVICE_FIELDS}
    return Service(
        **columns,
        category_id=values["category"],
        slug=_free_slug(values["name"]),
        tax_basis_points=usual_tax_basis_points(),
    )


def _new_lengths(service: Service, values: Mapping[str, Any]) -> list[ServiceVariant]:
    return [
        ServiceVariant(service=service, work_minutes=minutes, price_minor=price, position=position)
        for position, (minutes, price) in enumerate(values["lengths"])
    ]


def _free_slug(name: str) -> str:
    """Return an address for a service that no other service has."""
    stem = slugify(name)[:40] or "service"
    taken = set(Service.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for number in range(1, len(taken) + 2) if (slug := _numbered(stem, number)) not in taken)


def _numbered(stem: str, number: int) -> str:
    return stem if number == 1 else f"{stem}-{number}"


def _refuse_gone(values: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Refuse values that refer to what was deleted or switched off since."""
    gone = []
    for key, model in _REFERENCES.items():
        ids = _ids(values.get(key))
        rows = model._default_manager.filter(pk__in=ids)
        there = set((rows.filter(is_active=True) if model in _SWITCHED_OFF else rows).values_list("pk", flat=True))
        gone += [names.get(f"{key}.{pk}", "") for pk in ids if pk not in there]
    if gone:
        raise ProposalUnfit(
            ngettext(
                "%(names)s is no longer there. Please reject the proposal and have it proposed again.",
                "%(names)s are no longer there. Please reject the proposal and have it proposed again.",
                len(gone),
            )
            % {"names": ", ".join(gone)}
        )


def _ids(value: Any) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _validated(rows: Iterable[Model]) -> None:
    for row in rows:
        _validate(row, {field.name for field in row._meta.fields} - {"service", "location"})


def _validate(row: Model, names: Collection[str]) -> None:
    """Check the values of these fields by the rules of their model.

    :raises ProposalUnfit: with what the rules say.
    """
    try:
        row.full_clean(exclude={field.name for field in row._meta.fields} - set(names))
    except ValidationError as error:
        raise ProposalUnfit(" ".join(_sentences(row, error))) from error


def _sentences(row: Model, error: ValidationError) -> Iterable[str]:
    labels = {field.name: capfirst(str(field.verbose_name)) for field in row._meta.fields}
    for name, said in error.message_dict.items():
        words = " ".join(said)
        yield f"{labels[name]}: {words}" if name in labels else words
