"""Every message that is sent about bookings: what it is called, when it goes, and a text to begin with.

The texts here are drafts in the little language of ``notifications.wording.template_language``, for owners who
want to write their own. Until they do, the files under templates/notifications are sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bookings.messages.variables import CARD, variables_of
from notifications.enums import Channel, RecipientRole

Text = str | Promise
_CUSTOMER, _STAFF = RecipientRole.CUSTOMER, RecipientRole.STAFF


class Timing(StrEnum):
    """When a message goes: with what it tells, or some time before or after the visit."""

    AT_ONCE = "at_once"
    BEFORE = "before"
    AFTER = "after"
    MORNING = "morning"


@dataclass(frozen=True, slots=True)
class MessageType:
    """``subject`` and ``opening`` begin a draft; ``link`` is the variable of its button. ``is_needed``: the mail of it
    cannot be switched off, because somebody would not learn what was agreed, changed or paid.
    """

    kind: str
    role: RecipientRole
    label: Text
    told: Text
    subject: Text
    opening: Text
    link: str = "manage_url"
    timing: Timing = Timing.AT_ONCE
    is_needed: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    subject: str
    body: str


CATALOGUE: tuple[MessageType, ...] = (
    MessageType(
        *("confirmed", _CUSTOMER, _("Booked"), _("When a booking is agreed")),
        *(_("You are booked: {{ when }}"), _("you are booked.")),
        is_needed=True,
    ),
    MessageType(
        *("moved", _CUSTOMER, _("Moved"), _("When the time changes")),
        *(_("Moved to {{ when }}"), _("your appointment has a new time.")),
        is_needed=True,
    ),
    MessageType(
        *("reassigned", _CUSTOMER, _("Somebody else"), _("When another person takes over")),
        *(_("A change to your appointment on {{ when }}"), _("somebody else will see you. The time stays.")),
        is_needed=True,
    ),
    MessageType(
        *("cancelled", _CUSTOMER, _("Cancelled"), _("When a booking is called off")),
        *(_("Cancelled: {{ when }}"), _("your appointment is cancelled.{% if money %} {{ money }}{% endif %}")),
        link="book_again_url",
        is_needed=True,
    ),
    MessageType(
        *("reminder", _CUSTOMER, _("Reminder"), _("Before the visit")),
        *(_("Reminder: {{ when }}"), _("see you soon.")),
        link="coming_url",
        timing=Timing.BEFORE,
    ),
    MessageType(
        *("review_request", _CUSTOMER, _("Question for a review"), _("After the visit, to those who agreed to news")),
        *(_("How was your visit at {{ business }}?"), _("thank you for coming. How was it?")),
        link="review_url",
        timing=Timing.AFTER,
    ),
    MessageType(
        *("follow_up", _CUSTOMER, _("Next visit"), _("After the visit, to those who agreed to news")),
        *(_("Time for your next visit at {{ business }}?"), _("would you like to come again?")),
        link="book_again_url",
        timing=Timing.AFTER,
    ),
    MessageType(
        *("confirm_by_mail", _CUSTOMER, _("Please confirm"), _("When a booking has to be confirmed by e-mail")),
        *(_("Confirm your booking: {{ when }}"), _("please confirm your booking. Nothing is booked yet.")),
        link="book_url",
        is_needed=True,
    ),
    MessageType(
        *("requested", _CUSTOMER, _("Request received"), _("When a request waits for your answer")),
        *(_("We have your request: {{ when }}"), _("we have your request and write to you.")),
        is_needed=True,
    ),
    MessageType(
        *("declined", _CUSTOMER, _("Request declined"), _("When a request is declined or not answered in time")),
        *(_("Not possible: {{ when }}"), _("we are sorry, this time is not possible. Nothing is due.")),
        link="book_again_url",
        is_needed=True,
    ),
    MessageType(
        *(
            "payment_required",
            _CUSTOMER,
            _("Payment asked for"),
            _("When something has to be paid, or you send a link"),
        ),
        *(_("{{ amount }} to pay: {{ when }}"), _("{{ amount }} is open.")),
        link="pay_url",
        is_needed=True,
    ),
    MessageType(
        *("hold_ended", _CUSTOMER, _("Not paid in time"), _("When a time is free again because it was not paid")),
        *(
            _("Not booked yet: {{ when }}"),
            _("the time is no longer kept, because it was not paid. Nothing was charged."),
        ),
        link="pay_url",
        is_needed=True,
    ),
    MessageType(
        *("payment_received", _CUSTOMER, _("Payment received"), _("When money came in")),
        *(_("Paid: {{ amount }}"), _("thank you, you paid {{ amount }}.")),
        is_needed=True,
    ),
    MessageType(
        *("late_payment_refunded", _CUSTOMER, _("Paid too late"), _("When money came after the time was gone")),
        *(_("Your {{ amount }} go back: the time was gone"), _("your payment came after the time was gone.")),
        link="book_again_url",
        is_needed=True,
    ),
    MessageType(
        *("fee_due", _CUSTOMER, _("Fee to pay"), _("When the card did not pay a fee")),
        *(_("{{ amount }} is open: {{ when }}"), _("{{ amount }} is due, by the rules you agreed to.")),
        link="pay_url",
        is_needed=True,
    ),
    MessageType(
        *("refund_approved", _CUSTOMER, _("Refund decided"), _("When money is to go back")),
        *(_("You get {{ amount }} back"), _("you get {{ amount }} back. {{ refund }}")),
        is_needed=True,
    ),
    MessageType(
        *(
            "refund_lowered",
            _CUSTOMER,
            _("Refund lowered or declined"),
            _("When you give less back than the rules say"),
        ),
        *(
            _("Your refund of {{ asked }}: {% if amount %}you get {{ amount }}{% else %}declined{% endif %}"),
            _("we keep {{ kept }} of your refund of {{ asked }}. The reason: {{ reason }} {{ refund }}"),
        ),
        is_needed=True,
    ),
    MessageType(
        *("refund_done", _CUSTOMER, _("Refunded"), _("When money went back")),
        *(_("Refunded: {{ amount }}"), _("{{ amount }} went back to you.")),
        is_needed=True,
    ),
    MessageType(
        *("missed", _CUSTOMER, _("Missed"), _("When somebody did not come")),
        *(_("We missed you: {{ when }}"), _("we missed you.{% if fee %} A fee of {{ fee }} is due.{% endif %}")),
        is_needed=True,
    ),
    MessageType(
        *("help_answer", _CUSTOMER, _("Answer to a question"), _("When you answer somebody who asked while paying")),
        *(_("{{ business }} answered you"), _("our answer: {{ answer }}")),
        is_needed=True,
    ),
    MessageType(
        *("confirmed", _STAFF, _("New booking"), _("When a booking of theirs is agreed")),
        *(_("New booking: {{ when }}, {{ customer }}"), _("you have a new booking.")),
    ),
    MessageType(
        *("moved", _STAFF, _("Moved"), _("When a booking of theirs changes its time")),
        *(_("Moved: {{ when }}, {{ customer }}"), _("a booking of yours has a new time.")),
    ),
    MessageType(
        *("reassigned", _STAFF, _("Given to them"), _("When they take over a booking")),
        *(_("Yours now: {{ when }}, {{ customer }}"), _("this booking was given to you.")),
    ),
    MessageType(
        *("released", _STAFF, _("Taken from them"), _("When somebody else takes over")),
        *(_("No longer yours: {{ when }}, {{ customer }}"), _("this booking is no longer yours.")),
        link="",
    ),
    MessageType(
        *("cancelled", _STAFF, _("Cancelled"), _("When a booking of theirs is called off")),
        *(_("Cancelled: {{ when }}, {{ customer }}"), _("this booking is cancelled. Your time is free again.")),
        link="",
    ),
    MessageType(
        *("requested", _STAFF, _("Request"), _("When somebody asks for a time of theirs")),
        *(_("Request: {{ when }}, {{ customer }}"), _("somebody asks for a time with you.")),
    ),
    MessageType(
        *("agenda", _STAFF, _("The day"), _("In the morning of each day with visits")),
        *(_("Your day: {{ day }}, {{ count }}"), _("this is your day.")),
        link="",
        timing=Timing.MORNING,
    ),
)
_BY_KEY: Mapping[tuple[str, str], MessageType] = {(each.kind, each.role): each for each in CATALOGUE}


def message_type(kind: str, role: str) -> MessageType | None:
    """Return what is known of a message; None for a kind that is not sent to that role."""
    return _BY_KEY.get((kind, role))


def draft(of: MessageType, channel: str) -> Draft:
    """Return a text to begin with, in the active language."""
    known = {variable.name for variable in variables_of(of.kind, of.role)}
    link = f"{{{{ {of.link} }}}}" if of.link else ""
    if channel != Channel.EMAIL:
        facts = "{{ visits }}" if "visits" in known else "{{ when }}, {{ place }}."
        body = " ".join(filter(None, ("{{ business }}:", str(of.opening), facts, link)))
        return Draft(str(of.subject) if channel == Channel.PUSH else "", body)
    facts = "{{ visits }}" if "visits" in known else f"{{{{ {CARD} }}}}"
    rule = "{% if policy %}\n{{ policy }}\n{% endif %}" if "policy" in known else ""
    parts = (_("Hello {{ first_name }},"), of.opening, facts, link, rule)
    return Draft(str(of.subject), "\n\n".join(str(part) for part in parts if part) + "\n")
