"""The address of a calendar page. It names the view, place, person, day and open booking, so that a link shows them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.urls import reverse

EVERYWHERE = "all"


class View(StrEnum):
    DAY = "day"
    WEEK = "week"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Address:
    """``at`` and ``who`` are slugs, ``booking`` is the reference of the open panel. Empty means the default.

    ``usual`` is the default view of this reader. ``today`` is left out of addresses, so that a page that is reloaded
    tomorrow shows tomorrow.
    """

    view: View
    on: date
    today: date
    at: str = ""
    who: str = ""
    booking: str = ""
    has_rooms: bool = False
    has_others: bool = False
    usual: View = View.DAY

    @property
    def url(self) -> str:
        asked = {
            "at": self.at,
            "on": "" if self.on == self.today else self.on.isoformat(),
            "view": "" if self.view is self.usual else self.view,
            "who": self.who,
            "rooms": "1" if self.has_rooms else "",
            "others": "1" if self.has_others else "",
            "b": self.booking,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{reverse('desk')}?{query}" if query else reverse("desk")

    @property
    def is_today(self) -> bool:
        return self.on == self.today

    @property
    def monday(self) -> date:
        return self.on - timedelta(days=self.on.weekday())

    def but(self, **changes: Any) -> "Address":
        """Return the address of the same page with some parts changed."""
        return replace(self, **changes)

    def step(self, count: int) -> "Address":
        """Return the page ``count`` days later, or ``count`` weeks later in the week view."""
        return self.but(on=self.on + timedelta(days=count * (7 if self.view is View.WEEK else 1)), booking="")


def view_of(typed: str, usual: View) -> View:
    return View(typed) if typed in set(View) else usual


def flag(query: QueryDict, name: str) -> bool:
    return query.get(name) == "1"
