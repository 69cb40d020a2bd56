"""The rules of availability in words: what each asks of a time, and what it means when one says no."""

from collections.abc import Callable, Mapping

from django.utils.translation import gettext

from bookings.wording.overrides import broken_rules

_ASKED: Mapping[str, Callable[[], str]] = {
    "offered_here": lambda: gettext("Is the service offered here?"),
    "qualified": lambda: gettext("Does %(who)s perform this service?"),
    "grid": lambda: gettext("Is it one of the start times?"),
    "notice": lambda: gettext("Is it far enough from now?"),
    "horizon": lambda: gettext("Is it near enough?"),
    "business_limit": lambda: gettext("Is the daily limit of the business kept?"),
    "service_limit": lambda: gettext("Is the daily limit of the service kept?"),
    "opening_hours": lambda: gettext("Is the place open then?"),
    "working_hours": lambda: gettext("Does %(who)s work then?"),
    "time_off": lambda: gettext("Is %(who)s without time off then?"),
    "resources_exist": lambda: gettext("Are there the rooms and devices that it needs?"),
    "resources_free": lambda: gettext("Are enough rooms and devices free?"),
    "staff_limit": lambda: gettext("Is the daily limit of %(who)s kept?"),
    "staff_free": lambda: gettext("Is %(who)s free for all of it?"),
}
_NEVER_SET_ASIDE: Mapping[str, Callable[[], str]] = {
    "offered_here": lambda: gettext("This service is not offered here."),
    "qualified": lambda: gettext("%(who)s does not perform this service."),
    "resources_exist": lambda: gettext("The place has not enough rooms or devices for it then."),
    "resources_free": lambda: gettext("The rooms or devices that it needs are taken."),
    "staff_free": lambda: gettext("%(who)s has another booking then."),
}


def question(rule: str, *, who: str) -> str:
    """Return the question that a rule answers, such as "Does Ana work then?"."""
    return _ASKED[rule]() % {"who": who or gettext("the person")}


def refusal(rule: str, *, who: str) -> str:
    """Return one sentence for a rule that says no, such as "Ana does not work then."."""
    words = _NEVER_SET_ASIDE.get(rule)
    return words() % {"who": who or gettext("The person")} if words else broken_rules([rule], who=who)[0]
