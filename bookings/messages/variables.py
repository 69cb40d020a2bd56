"""Variables that the business's own texts about bookings may use, and their values for one message.

Plain text only. The recipient of the message may see every value.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from core.formats import full_day_text, moment_text, money_text, time_text
from notifications.wording.template_language import Variable

# On a line of its own this variable becomes the card with all facts, and a link becomes a button.
CARD = "appointment"

_ALL = (
    Variable("first_name", _("First name of the reader"), _("Jana")),
    Variable("business", _("Name of your business"), _("Linden Studio")),
    Variable(
        CARD,
        _("All facts of the appointment: when, what, who, where, reference. In an e-mail, alone on a line, the card"),
        _("Fri 27 Nov 2026, 14:30, until 15:30 (Berlin time)\nDeep tissue massage, 60 min\nKreuzberg, Lindenstraße 14"),
    ),
    Variable("when", _("Day and time at the place"), _("Fri 27 Nov, 14:30")),
    Variable("day", _("Day with its year"), _("Fri 27 Nov 2026")),
    Variable("time", _("Time of day"), _("14:30")),
    Variable("until", _("When it ends"), _("until 15:30")),
    Variable("zone", _("Whose clock the times are"), _("Berlin time")),
    Variable("service", _("What was booked"), _("Deep tissue massage, 60 min")),
    Variable("place", _("Name of the place"), _("Kreuzberg")),
    Variable("address", _("Street and town"), _("Lindenstraße 14, 10969 Berlin")),
    Variable("phone", _("Phone of the place"), _("+49 30 901820")),
    Variable("reference", _("Reference of the booking"), _("K7M 4PX")),
    Variable("party", _("For how many people, if more than one"), _("for 2 people")),
)
_FOR_CUSTOMERS = (
    Variable("who", _("Who performs it"), _("Ana Silva")),
    Variable("total", _("What it costs"), _("€88.00")),
    Variable("book_again_url", _("Link to the free times"), _("https://book.example.com/s/massage/")),
)
_FOR_STAFF = (Variable("customer", _("First name of the customer"), _("Jana")),)
AHEAD = (Variable("manage_url", _("Link to see, move or cancel"), _("https://book.example.com/b/K7M4PXc…/")),)
CUSTOMER_AHEAD = (
    *AHEAD,
    Variable("cancel_url", _("Link to cancel"), _("https://book.example.com/b/K7M4PXc…/cancel")),
    Variable("move_url", _("Link to move"), _("https://book.example.com/b/K7M4PXc…/move")),
    Variable("messages_url", _("Link to choose messages"), _("https://book.example.com/b/K7M4PXc…/messages")),
    Variable("arrival", _("How to get in"), _("Ring “Linden”, first floor.")),
    Variable("preparation", _("What to do before the visit"), _("Eat lightly.")),
    Variable("policy", _("The rule for cancelling"), _("Free to cancel until Thu 26 Nov, 14:30.")),
)
BEFORE = (Variable("before", _("The time before the change"), _("Thu 26 Nov, 10:00")),)
COMING = (Variable("coming_url", _("Link to say “I’m coming”"), _("https://book.example.com/b/K7M4PXc…/coming")),)
FEE = (Variable("fee", _("Fee that is due, if any"), _("€40.00")),)
REVIEW = (Variable("review_url", _("Where you collect reviews"), _("https://reviews.example.com/linden")),)
STAFF_AHEAD = (
    *AHEAD,
    Variable("move_url", _("Link to move"), _("https://book.example.com/b/K7M4PXs…/move")),
    Variable("cancel_url", _("Link to cancel"), _("https://book.example.com/b/K7M4PXs…/cancel")),
)

MANAGE = AHEAD[0]
AMOUNT = Variable("amount", _("The sum that it is about"), _("€20.00"))
PAY = Variable("pay_url", _("Link to pay"), _("https://book.example.com/b/K7M4PXc…/pay"))
OPEN = Variable("open", _("What is still to be paid, if anything"), _("€60.00"))
REASON = Variable("reason", _("What your staff wrote for the customer, if anything"), _("We are closed that day."))
ASKED = Variable("asked", _("The refund by the rules"), _("€16.00"))
LESS = Variable("kept", _("What you keep of it"), _("€6.00"))
KEPT = Variable("kept_until", _("Until when the time is kept, if it is"), _("Fri 27 Nov, 12:00"))
MONEY = Variable("money", _("What becomes of the money, if any was paid or is due"), _("You get €16.00 back."))
REFUND = Variable("refund", _("How the money goes back"), _("It takes some days to reach your card."))

FINISH_URL = Variable("finish_url", _("Link to finish the booking"), _("https://book.example.com/h/Zk3v…/"))
BOOK_URL = Variable("book_url", _("Link to confirm the booking"), _("https://book.example.com/b/K7M4PXc…/book"))
RECEIPT_URL = Variable("receipt_url", _("Link to the receipt"), _("https://book.example.com/b/K7M4PXc…/receipt/1001"))
ANSWER = Variable("answer", _("What you answered"), _("Yes, that card works."))

OF_AGENDA = (
    *(variable for variable in _ALL if variable.name in {"first_name", "business", "day"}),
    Variable("count", _("How many visits"), _("4 visits")),
    Variable(
        "visits", _("The visits in order, a line for each"), _("09:00–10:00 · Jana · Deep tissue massage, 60 min")
    ),
)


def to_customer(*own: Variable) -> tuple[Variable, ...]:
    """Return the variables for texts to customers: the common ones, and those of this message."""
    return (*_ALL, *_FOR_CUSTOMERS, *own)


def to_staff(*own: Variable) -> tuple[Variable, ...]:
    return (*_ALL, *_FOR_STAFF, *own)


def words_of(variables: Mapping[str, Any]) -> dict[str, str]:
    """Convert the variables of a message's files into the values of the names that the owner's texts use."""
    place, starts_at = variables["place"], variables["starts_at"]
    words = {
        CARD: _appointment(variables),
        "when": moment_text(starts_at),
        "day": full_day_text(starts_at.date()),
        "time": time_text(starts_at),
        "service": _services(variables),
        "place": place.name,
        "address": place.address,
        "phone": place.phone,
        "arrival": place.hint,
        "preparation": "\n".join(variables.get("preparations", ())),
    }
    sums = {name: _sum(variables, column) for name, column in _SUMS.items()}
    moments = {name: _moment(variables.get(column)) for name, column in _MOMENTS.items()}
    plain = {name: str(variables[column]) for name, column in _PLAIN.items() if variables.get(column)}
    return {**words, **sums, **moments, **plain}


# Name in the texts → name among the variables of a message's files.
_SUMS = {
    "total": "total_minor",
    "fee": "fee_minor",
    "amount": "amount_minor",
    "open": "open_minor",
    "asked": "asked_minor",
    "kept": "kept_minor",
}
_MOMENTS = {"before": "previous", "kept_until": "until_moment"}
_SAME = (
    "first_name customer business who until zone reference party policy reason answer manage_url book_url finish_url "
    "move_url cancel_url coming_url messages_url pay_url receipt_url book_again_url review_url"
)
_PLAIN = {**{name: name for name in _SAME.split()}, "refund": "refund_words", "money": "money_words"}


def labels() -> dict[str, str]:
    """Return the label of the button that each link becomes on a line of its own."""
    return {
        "manage_url": gettext("See, move or cancel"),
        "book_url": gettext("Confirm the booking"),
        "finish_url": gettext("Finish the booking"),
        "move_url": gettext("Move it"),
        "cancel_url": gettext("Cancel it"),
        "coming_url": gettext("Tell us whether you are coming"),
        "messages_url": gettext("Choose which messages you get"),
        "book_again_url": gettext("Find a time"),
        "review_url": gettext("Write a review"),
        "pay_url": gettext("Pay online"),
        "receipt_url": gettext("Receipt"),
    }


def _sum(variables: Mapping[str, Any], column: str) -> str:
    amount_minor = variables.get(column)
    return money_text(amount_minor, variables["currency"]) if amount_minor else ""


def _moment(moment: datetime | None) -> str:
    return moment_text(moment) if moment else ""


def _services(variables: Mapping[str, Any]) -> str:
    return ", ".join(" ".join(filter(None, (step.what, step.extras))) for step in variables["steps"])


def _appointment(variables: Mapping[str, Any]) -> str:
    """Return the facts as lines of text, as in the mails of the template files."""
    starts_at, place = variables["starts_at"], variables["place"]
    when = gettext("%(day)s, %(time)s, %(until)s (%(zone)s)") % {
        "day": full_day_text(starts_at.date()),
        "time": time_text(starts_at),
        "until": variables["until"],
        "zone": variables["zone"],
    }
    people = " ".join(filter(None, (variables.get("customer") or _with(variables.get("who")), variables.get("party"))))
    where = ", ".join(filter(None, (place.name, place.address)))
    reference = gettext("Reference %(reference)s") % {"reference": variables["reference"]}
    return _lines((when, _services(variables), people, where, reference))


def _with(who: str | None) -> str:
    return pgettext("service with a person", "with %(name)s") % {"name": who} if who else ""


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(part for part in parts if part)
