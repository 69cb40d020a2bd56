"""The frame of every public page: name, home link, phone, and places in the footer."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from core.formats import phone_href
from storefront.catalogue import Place, PublicBusiness


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    url: str

    @property
    def name(self) -> str:
        return self.label


@dataclass(frozen=True, slots=True)
class Frame:
    name: str
    home_url: str
    brand_url: str
    phone: str = ""
    phone_href: str = ""
    locations: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()
    logo_url: str = ""
    account_url: str = ""


def frame_of(business: PublicBusiness, places: Sequence[Place]) -> Frame:
    return Frame(
        name=business.name,
        home_url=reverse("landing"),
        brand_url=f"{reverse('brand')}?c={business.brand_colour.lstrip('#')}",
        phone=business.phone,
        phone_href=phone_href(business.phone),
        account_url=reverse("my_bookings"),
        links=(Link(gettext("My bookings"), reverse("my_bookings")),),
        locations=tuple(Link(place.name, place.directions_url) for place in places),
    )
