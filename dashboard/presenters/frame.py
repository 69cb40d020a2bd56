"""The frame of every page of the desk: the navigation, the chosen place, and the signed-in user.

A further page adds its ``Item`` in ``_items``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from accounts.models import User
from dashboard.permissions import Act, Rights, may, roles_with
from services.models import Location
from staff.enums import Role


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the navigation. ``count`` is the number of open items there. ``key`` identifies the page.

    ``is_for_wide``: the bar at the bottom of a phone has no room for it, so other pages lead there as well.
    """

    key: str
    label: str
    icon_name: str
    url: str
    count: int = 0
    is_for_wide: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    is_on: bool = False


@dataclass(frozen=True, slots=True)
class DeskFrame:
    """``place`` is the name of the shown location, ``places`` are the others to choose from.

    The addresses of pages are empty for users who may not open them: ``book_url`` is phone booking, ``proposals_url``
    proposed changes, ``privacy_url`` requests about personal data, ``access_url`` who opened which record, ``team_url``
    people and roles.
    """

    items: tuple[Item, ...]
    current: str
    place: str
    places: tuple[Choice, ...]
    user_name: str
    role: str
    settings_url: str = ""
    book_url: str = ""
    proposals_url: str = ""
    privacy_url: str = ""
    access_url: str = ""
    team_url: str = ""


def frame_of(
    *,
    user: User,
    rights: Rights,
    current: str,
    waiting: int,
    place: Location | None = None,
    places: Sequence[Location] = (),
    place_url: Callable[[str], str] | None = None,
) -> DeskFrame:
    return DeskFrame(
        items=_items(rights, waiting),
        current=current,
        place=place.text("name") if place else "",
        places=tuple(_places(place, places, place_url)) if len(places) > 1 else (),
        user_name=str(user),
        role=role_text(rights),
        settings_url=reverse("admin:index") if user.is_staff else "",
        book_url=_book_url(rights, place),
        proposals_url=reverse("desk_proposals") if may(rights, Act.PROPOSE) else "",
        privacy_url=reverse("desk_privacy_cases") if may(rights, Act.HANDLE_PRIVACY) else "",
        access_url=reverse("desk_access") if may(rights, Act.READ_ACCESS_LOG) else "",
        team_url=reverse("desk_team") if may(rights, Act.MANAGE_TEAM) else "",
    )


def _book_url(rights: Rights, place: Location | None) -> str:
    if not may(rights, Act.BOOK):
        return ""
    is_here = place is not None and bool(rights.at_location(place.pk) & roles_with(Act.BOOK))
    return f"{reverse('desk_book')}?at={place.slug}" if place and is_here else reverse("desk_book")


def role_text(rights: Rights) -> str:
    """Return the user's roles as text, the most powerful one first."""
    return ", ".join(str(role.label) for role in Role if role in rights.roles).capitalize()


def _places(
    place: Location | None, places: Sequence[Location], place_url: Callable[[str], str] | None
) -> Iterator[Choice]:
    for each in places:
        url = place_url(each.slug) if place_url else f"{reverse('desk')}?at={each.slug}"
        yield Choice(each.text("name"), url, each == place)
    if place_url:
        yield Choice(gettext("All locations"), place_url("all"), place is None)


def _items(rights: Rights, waiting: int) -> tuple[Item, ...]:
    items = []
    if may(rights, Act.OWN_DAY):
        items.append(Item("me", gettext("My day"), "clock", reverse("desk_me")))
    items.append(Item("day", gettext("Calendar"), "calendar", reverse("desk")))
    items.append(Item("bookings", gettext("Bookings"), "list", reverse("desk_bookings"), is_for_wide=True))
    if rights.sees_money:
        items.append(Item("hands", gettext("To do"), "bell", reverse("desk_hands"), waiting))
    items.append(Item("customers", gettext("Customers"), "users", reverse("desk_customers")))
    if may(rights, Act.BLOCK_TIME):
        items.append(Item("time-off", gettext("Time off"), "minus", reverse("desk_time_off")))
    if rights.sees_money:
        items.append(Item("payments", gettext("Payments"), "card", reverse("desk_payments")))
    if may(rights, Act.READ_MESSAGES):
        items.append(Item("messages", gettext("Messages"), "chat", reverse("desk_messages")))
    elif rights.sees_money:
        items.append(Item("messages", gettext("Messages"), "chat", reverse("desk_message_log")))
    return tuple(items)
