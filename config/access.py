"""Who may open and change what. ``RULES`` lists every address of the site; a test walks all of them with every role.

Objects that a role may not see answer like objects that do not exist (404).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a request proves about who sends it."""

    ANYONE = "anyone"  # no secret at all
    HOLDER = "holder"  # has the token of a hold
    GUEST = "guest"  # booked just now: the link on the screen
    CUSTOMER = "customer"  # the link in the mail to the customer
    STAFF_LINK = "staff_link"  # the link in the mail to the person who performs the visit
    ADMIN = "admin"  # signed in, may open the admin, has no role at the desk
    OWNER = "owner"  # signed in with this role at the desk …
    MANAGER = "manager"  # … of the booking's location
    FRONT_DESK = "front_desk"  # … of the booking's location
    THERAPIST = "therapist"  # … and performs the visit
    AUDITOR = "auditor"  # … who only reads
    ELSEWHERE = "elsewhere"  # manager of another location


EVERYBODY = frozenset(Role)
_CUSTOMERS = frozenset({Role.GUEST, Role.CUSTOMER})
_MAILBOX = frozenset({Role.CUSTOMER})
_LINKS = _CUSTOMERS | {Role.STAFF_LINK}
_NOBODY: frozenset[Role] = frozenset()
_DESK = frozenset({Role.OWNER, Role.MANAGER, Role.FRONT_DESK, Role.THERAPIST, Role.AUDITOR, Role.ELSEWHERE})
_DESK_HERE = _DESK - {Role.ELSEWHERE}
_FRONT_DESK = frozenset({Role.OWNER, Role.MANAGER, Role.FRONT_DESK})
_OWNERS = frozenset({Role.OWNER})
_READ_MESSAGES = frozenset({Role.OWNER, Role.MANAGER, Role.ELSEWHERE})


@dataclass(frozen=True, slots=True)
class Rule:
    """Which roles may look (GET, HEAD) and which may act (POST) by their own token or session."""

    see: frozenset[Role]
    act: frozenset[Role] = _NOBODY


# By name of the address; "admin" stands for everything of Django's admin, which has rules of its own behind its sign-
# in.
RULES: Mapping[str, Rule] = {
    "landing": Rule(EVERYBODY),
    "robots": Rule(EVERYBODY),
    "brand": Rule(EVERYBODY),
    "picker": Rule(EVERYBODY),
    "hold": Rule(_NOBODY, EVERYBODY),
    "details": Rule(frozenset({Role.HOLDER}), frozenset({Role.HOLDER})),
    # Looking at these three leads back to the details.
    "extras": Rule(frozenset({Role.HOLDER}), frozenset({Role.HOLDER})),
    "release": Rule(frozenset({Role.HOLDER}), frozenset({Role.HOLDER})),
    "again": Rule(frozenset({Role.HOLDER}), frozenset({Role.HOLDER})),
    "manage": Rule(_LINKS),
    "manage_trimmed": Rule(_LINKS),
    "confirmed": Rule(_CUSTOMERS),
    "book_by_mail": Rule(_MAILBOX, _MAILBOX),
    "move": Rule(_LINKS, _LINKS),
    "stay": Rule(_NOBODY, _CUSTOMERS),
    "cancel": Rule(_LINKS, _LINKS),
    "coming": Rule(_CUSTOMERS, _CUSTOMERS),
    # These decide about a mailbox and its owner, so only what was sent there opens them.
    "message_choices": Rule(_MAILBOX, _MAILBOX),
    "push": Rule(_NOBODY, _MAILBOX),
    "unsubscribe": Rule(_MAILBOX, _MAILBOX),
    "service_worker": Rule(EVERYBODY),
    "calendar": Rule(_CUSTOMERS),
    # Whoever posts there has to sign; without a signature nothing is read.
    "stripe_webhook": Rule(_NOBODY, EVERYBODY),
    # Reports of providers, which prove themselves by signature or secret.
    "twilio_status": Rule(_NOBODY),
    "twilio_inbound": Rule(_NOBODY),
    "mail_events": Rule(_NOBODY),
    "receipt": Rule(_CUSTOMERS),
    "receipt_pdf": Rule(_CUSTOMERS),
    "pay_link": Rule(_CUSTOMERS),
    # By the cookie that pay_link sets.
    "pay": Rule(_CUSTOMERS),
    "pay_state": Rule(_CUSTOMERS),
    "pay_start": Rule(_NOBODY, _CUSTOMERS),
    "pay_check": Rule(_NOBODY, _CUSTOMERS),
    "pay_return": Rule(_CUSTOMERS),
    "pay_back": Rule(_CUSTOMERS),
    "pay_again": Rule(_NOBODY, _CUSTOMERS),
    "pay_help": Rule(_NOBODY, _CUSTOMERS),
    "live": Rule(EVERYBODY),
    "ready": Rule(EVERYBODY),
    "picture": Rule(EVERYBODY),
    "admin": Rule(frozenset({Role.ADMIN}), frozenset({Role.ADMIN})),
    "desk_sign_in": Rule(EVERYBODY, EVERYBODY),
    "desk_sign_out": Rule(_NOBODY, EVERYBODY),
    "desk": Rule(_DESK),
    "desk_booking": Rule(_DESK_HERE),
    **{
        f"desk_booking_{step}": Rule(_FRONT_DESK, _FRONT_DESK)
        for step in (
            *("take", "refund", "approve", "lower", "decline", "hand_back", "waive", "charge", "stand", "link"),
            *("discount", "cancel", "move", "answer", "reply"),
        )
    },
    "desk_booking_receipt": Rule(_DESK_HERE - {Role.THERAPIST}),
    "desk_booking_receipt_pdf": Rule(_DESK_HERE - {Role.THERAPIST}),
    "desk_booking_check": Rule(_NOBODY, _FRONT_DESK),
    **{
        f"desk_booking_{step}": Rule(_FRONT_DESK | {Role.THERAPIST}, _FRONT_DESK | {Role.THERAPIST})
        for step in (
            *("arrived", "start", "complete", "not_arrived", "not_started", "not_completed"),
            *("missed", "came"),
        )
    },
    "desk_booking_trust": Rule(_FRONT_DESK - {Role.FRONT_DESK}, _FRONT_DESK - {Role.FRONT_DESK}),
    "desk_hands": Rule(_DESK - {Role.THERAPIST}),
    "desk_alert": Rule(_FRONT_DESK, _FRONT_DESK),
    "desk_text_stop": Rule(_NOBODY, _FRONT_DESK),
    "desk_text_done": Rule(_NOBODY, _FRONT_DESK),
    "desk_messages": Rule(_READ_MESSAGES),
    "desk_message": Rule(_READ_MESSAGES, _OWNERS),
    "desk_message_text": Rule(_READ_MESSAGES, _OWNERS),
    # Shows what is typed, and keeps nothing.
    "desk_message_preview": Rule(_READ_MESSAGES, _READ_MESSAGES),
    "desk_message_log": Rule(_DESK - {Role.THERAPIST}),
    "desk_message_again": Rule(_NOBODY, frozenset({Role.OWNER, Role.MANAGER, Role.FRONT_DESK})),
    "desk_booking_messages": Rule(_DESK_HERE - {Role.THERAPIST}),
    "desk_payments": Rule(_DESK - {Role.THERAPIST}),
    "desk_payments_csv": Rule(_DESK - {Role.THERAPIST}),
}
