"""The services that staff can book at a place: hidden ones too, archived ones not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, QuerySet
from django.utils.translation import pgettext

from core import formats
from dashboard.permissions import Act, Rights, locations_for
from services.models import AddOn, Location, Service, ServiceVariant
from staff.models import Qualification, StaffMember
from staff.queries import people_at


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Extra:
    id: int
    name: str
    price_minor: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Variant:
    """A length of a service. ``people`` are the ids of the staff members who perform it."""

    id: int
    name: str
    minutes: int
    price_minor: int
    people: tuple[int, ...]

    @property
    def label(self) -> str:
        """The name, else the length, such as "60 min"."""
        return self.name or formats.minutes_text(self.minutes)


@dataclass(frozen=True, slots=True)
class Offered:
    """A service that can be booked at the place, with the staff of all its lengths in the order of the business."""

    id: int
    slug: str
    name: str
    category: str
    delivery: str
    max_party_size: int
    variants: tuple[Variant, ...]
    extras: tuple[Extra, ...]
    people: tuple[Person, ...]

    def with_length(self, variant: Variant) -> str:
        """Return service and length, such as "Deep tissue massage, 60 min"."""
        values = {"service": self.name, "detail": variant.label}
        return pgettext("service and length", "%(service)s, %(detail)s") % values


def places(rights: Rights) -> list[Location]:
    """Return the places where the user may book for customers. One query."""
    return list(locations_for(rights, Act.BOOK))


def services_at(place: Location) -> list[Offered]:
    """Return every service that staff can book at a place, by category, with the people who work there.

    Four queries, whatever their number.
    """
    here = people_at(place.pk).filter(is_active=True)
    qualified = Qualification.objects.filter(staff_member__in=here).select_related("staff_member")
    variants = ServiceVariant.objects.filter(is_active=True).prefetch_related(Prefetch("qualifications", qualified))
    extras = AddOn.objects.filter(is_active=True)
    services: QuerySet[Service] = (
        Service.objects.filter(locations=place)
        .exclude(visibility=Service.Visibility.ARCHIVED)
        .select_related("category")
        .prefetch_related(Prefetch("variants", variants), Prefetch("add_ons", extras))
        .order_by("category__position", "category__name", "position", "name")
    )
    offered = (_offered(service) for service in services)
    return [each for each in offered if each.variants]


def _offered(service: Service) -> Offered:
    members = {q.staff_member_id: q.staff_member for v in service.variants.all() for q in v.qualifications.all()}
    people = sorted(members.values(), key=lambda member: (member.position, member.name))
    return Offered(
        id=service.pk,
        slug=service.slug,
        name=service.text("name"),
        category=service.category.text("name"),
        delivery=service.delivery,
        max_party_size=service.max_party_size,
        variants=tuple(
            variant for each in service.variants.all() if (variant := _variant(each)).people or not service.needs_staff
        ),
        extras=tuple(Extra(e.pk, e.text("name"), e.price_minor, e.extra_minutes) for e in service.add_ons.all()),
        people=tuple(_person(member) for member in people),
    )


def _variant(variant: ServiceVariant) -> Variant:
    return Variant(
        id=variant.pk,
        name=variant.text("name"),
        minutes=variant.duration_minutes,
        price_minor=variant.price_minor,
        people=tuple(each.staff_member_id for each in variant.qualifications.all()),
    )


def _person(member: StaffMember) -> Person:
    return Person(member.pk, member.slug, member.text("short_name"))


def by_id(people: Sequence[Person]) -> Mapping[int, Person]:
    return {person.id: person for person in people}
