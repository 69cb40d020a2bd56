"""The availability rules that staff set aside, in words: for the confirmation question and the history."""

from collections.abc import Callable, Iterable, Mapping

from django.utils.translation import gettext

_QUESTIONS: Mapping[str, Callable[[], str]] = {
    "opening_hours": lambda: gettext("The place is closed then."),
    "working_hours": lambda: gettext("%(who)s does not work then."),
    "time_off": lambda: gettext("%(who)s has time off then."),
    "staff_limit": lambda: gettext("%(who)s has as many bookings that day as the limit allows."),
    "service_limit": lambda: gettext("This service has as many bookings that day as its limit allows."),
    "business_limit": lambda: gettext("There are as many bookings that day as your limit allows."),
    "buffers": lambda: gettext("The time before and after the visit does not fit."),
    "notice": lambda: gettext("That is at shorter notice than your rules allow."),
    "horizon": lambda: gettext("That is further ahead than your rules allow."),
    "grid": lambda: gettext("That is not one of the start times of your rules."),
}
_SHORT: Mapping[str, Callable[[], str]] = {
    "opening_hours": lambda: gettext("outside opening hours"),
    "working_hours": lambda: gettext("outside working hours"),
    "time_off": lambda: gettext("in time off"),
    "staff_limit": lambda: gettext("above the daily limit of the person"),
    "service_limit": lambda: gettext("above the daily limit of the service"),
    "business_limit": lambda: gettext("above the daily limit of the business"),
    "buffers": lambda: gettext("without time before and after"),
    "notice": lambda: gettext("at short notice"),
    "horizon": lambda: gettext("further ahead than usual"),
    "grid": lambda: gettext("at another start time"),
}


def broken_rules(overrides: Iterable[str], *, who: str) -> list[str]:
    """Return one sentence for each rule, the most important first, such as "Ana does not work then"."""
    wanted = set(overrides)
    who = who or gettext("The person")
    return [words() % {"who": who} for rule, words in _QUESTIONS.items() if rule in wanted]


def exception_text(overrides: Iterable[str]) -> str:
    """Return the text of a history row: "Exception: outside working hours, at short notice"."""
    wanted = set(overrides)
    rules = ", ".join(words() for rule, words in _SHORT.items() if rule in wanted)
    return gettext("Exception: %(rules)s") % {"rules": rules}
