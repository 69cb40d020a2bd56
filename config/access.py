"""The access table: who may open which address. ``config.guard`` refuses an address without a row before its view runs.

A row of the desk names an ``Act``; ``dashboard.permissions`` says which roles have it. Every other row names what a
request must prove, and its view checks the token. An object that a visitor may not see gives 404, like one that does
not exist. ``tests/web/test_url_walk.py`` opens every row as every kind of visitor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from django.contrib.auth.models import AnonymousUser

from accounts.enums import RecordKind
from accounts.models import User
from config.reading import Shows
from dashboard.permissions import Act


class Proof(StrEnum):
    """What a request proves about its sender."""

    NOTHING = "nothing"
    HOLD = "hold"  # the token of a hold
    GUEST_LINK = "guest_link"  # the link on the screen of the visitor who has just booked
    CUSTOMER_LINK = "customer_link"  # the link in an e-mail to the customer
    STAFF_LINK = "staff_link"  # the link in an e-mail to the staff member who performs the booking
    CUSTOMER = "customer"  # a customer who signed in (accounts.customer_session)
    PASSWORD = "password"  # noqa: S105 (a staff user who has typed the password and has no second factor yet)
    ADMIN = "admin"  # a user signed in with a second factor who may open Django's admin and has no role at the desk
    DESK = "desk"  # a user signed in with a second factor who has a role at the desk


_ANY = frozenset(Proof)
_NONE: frozenset[Proof] = frozenset()
_HOLD = frozenset({Proof.HOLD})
_MAILBOX = frozenset({Proof.CUSTOMER_LINK})
_CUSTOMER = _MAILBOX | {Proof.GUEST_LINK}
_LINK = _CUSTOMER | {Proof.STAFF_LINK}
# A booking's page has two addresses: one with the token of a link, one with the reference for its signed-in customer.
_SIGNED_IN = frozenset({Proof.CUSTOMER})
_ADMIN = frozenset({Proof.ADMIN})
_STAFF = _ADMIN | {Proof.DESK}
_SET_UP = _STAFF | {Proof.PASSWORD}


@dataclass(frozen=True, slots=True)
class Row:
    """What a request must prove for GET and HEAD (``see``) and for POST (``act``).

    With ``is_fresh`` a staff user must have proven who they are in the last minutes (``accounts.staff_session``).
    """

    see: frozenset[Proof] = _NONE
    act: frozenset[Proof] = _NONE
    is_fresh: bool = False

    @property
    def is_of_customers(self) -> bool:
        """Whether only signed-in customers pass, which ``config.guard`` checks; others are sent to their sign-in."""
        return bool(self.see | self.act) and (self.see | self.act) <= _SIGNED_IN

    @property
    def is_signed_in(self) -> bool:
        """Whether only signed-in staff pass, which ``dashboard.door`` checks; otherwise the view checks the token."""
        return bool(self.see | self.act) and (self.see | self.act) <= _SET_UP

    def is_open_to(self, user: User | AnonymousUser) -> bool:
        """Return whether a signed-in user passes. Without the desk among the proofs only users of the admin do."""
        return user.is_staff or Proof.DESK in self.see | self.act


@dataclass(frozen=True, slots=True)
class DeskRow:
    """The right that a desk user needs for GET and HEAD (``see``) and for POST (``act``); None if there is no answer.

    With ``is_about_booking`` the user needs the right for one booking, at its location. The view checks that with
    ``dashboard.permissions.can``. ``shows`` is the record of a customer on the page, for the access log. ``is_fresh``
    as in ``Row``.
    """

    see: Act | None = None
    act: Act | None = None
    is_about_booking: bool = False
    shows: Shows | None = None
    is_fresh: bool = False

    def needed(self, method: str | None) -> Act:
        """Return the right that a request needs. A method without a right needs the other one; the view answers 405."""
        right = (self.act or self.see) if method == "POST" else (self.see or self.act)
        assert right is not None  # noqa: S101 (for mypy; every row has one)
        return right


def _desk(see: Act | None = None, act: Act | None = None, *, lists: RecordKind | None = None) -> DeskRow:
    """A page about no single customer. A search in it and a download of it are logged as ``lists``."""
    return DeskRow(see, act, shows=Shows(lists) if lists else None)


def _customer(see: Act | None = None, act: Act | None = None) -> DeskRow:
    return DeskRow(see, act, shows=Shows(RecordKind.CUSTOMER, "customer_reference"))


def _booking(see: Act | None = None, act: Act | None = None, *, record: RecordKind = RecordKind.BOOKING) -> DeskRow:
    return DeskRow(see, act, is_about_booking=True, shows=Shows(record, "reference"))


def _step(act: Act) -> DeskRow:
    """A page that asks for confirmation before it changes a booking: GET and POST need the same right."""
    return _booking(act, act)


def _at_location(see: Act | None = None, act: Act | None = None) -> DeskRow:
    """A page for the staff of one location whose path names no booking."""
    return DeskRow(see, act, is_about_booking=True)


def _fresh(row: DeskRow) -> DeskRow:
    """The same row for a page that returns money, or hands out or erases data: it asks again who the user is."""
    return replace(row, is_fresh=True)


# Models of the admin that decide who may do what. Their lists may be read without a fresh proof.
FRESH_IN_ADMIN = ("accounts_user", "staff_access")

# URL name -> row. "admin" covers all of Django's admin, which checks the permissions of its models itself.
ROWS: Mapping[str, Row | DeskRow] = {
    # --- public pages ---------------------------------------------------------------------------------------------
    "landing": Row(_ANY),
    "robots": Row(_ANY),
    "brand": Row(_ANY),
    "picture": Row(_ANY),
    "service_worker": Row(_ANY),
    "live": Row(_ANY),
    "ready": Row(_ANY),
    # --- picking a time and booking it ----------------------------------------------------------------------------
    "picker": Row(_ANY),
    "hold": Row(act=_ANY),
    "details": Row(_HOLD, _HOLD),
    # GET on these three redirects to the details.
    "extras": Row(_HOLD, _HOLD),
    "release": Row(_HOLD, _HOLD),
    "again": Row(_HOLD, _HOLD),
    # --- a booking by its link ------------------------------------------------------------------------------------
    "manage": Row(_LINK | _SIGNED_IN),
    "manage_trimmed": Row(_LINK),
    "confirmed": Row(_CUSTOMER | _SIGNED_IN),
    "book_by_mail": Row(_MAILBOX, _MAILBOX),
    "move": Row(_LINK | _SIGNED_IN, _LINK | _SIGNED_IN),
    "stay": Row(act=_CUSTOMER | _SIGNED_IN),
    "cancel": Row(_LINK | _SIGNED_IN, _LINK | _SIGNED_IN),
    "coming": Row(_CUSTOMER | _SIGNED_IN, _CUSTOMER | _SIGNED_IN),
    "calendar": Row(_CUSTOMER | _SIGNED_IN),
    "receipt": Row(_CUSTOMER | _SIGNED_IN),
    "receipt_pdf": Row(_CUSTOMER | _SIGNED_IN),
    # These change settings of a mailbox, so they need the link that was sent to it.
    "message_choices": Row(_MAILBOX, _MAILBOX),
    "push": Row(act=_MAILBOX),
    "unsubscribe": Row(_MAILBOX, _MAILBOX),
    # --- customers who sign in --------------------------------------------------------------------------------------
    "my_sign_in": Row(_ANY, _ANY),
    # Its view wants a browser that has asked for a code, and sends others to the sign-in.
    "my_code": Row(),
    "my_sign_out": Row(act=_ANY),
    "my_bookings": Row(_SIGNED_IN),
    "my_security": Row(_SIGNED_IN),
    "my_password_sign_in": Row(_ANY, _ANY),
    "my_passkey_sign_in": Row(_ANY, _ANY),
    # Open where OIDC_ISSUER is set. The answer of the provider proves itself by the state in the session.
    "openid_connect_login": Row(),
    "openid_connect_callback": Row(),
    "my_confirm": Row(_SIGNED_IN, _SIGNED_IN),
    # Their views want a code of the last minutes.
    "my_password": Row(_SIGNED_IN, _SIGNED_IN),
    "my_passkey_new": Row(_SIGNED_IN, _SIGNED_IN),
    "my_passkey_remove": Row(act=_SIGNED_IN),
    "my_session_end": Row(act=_SIGNED_IN),
    "my_sessions_end": Row(act=_SIGNED_IN),
    "my_details": Row(_SIGNED_IN, _SIGNED_IN),
    "my_messages": Row(_SIGNED_IN, _SIGNED_IN),
    "my_privacy": Row(_SIGNED_IN),
    "my_withdraw": Row(act=_SIGNED_IN),
    "my_download": Row(act=_SIGNED_IN),
    "my_erase": Row(_SIGNED_IN, _SIGNED_IN),
    # --- paying: pay_link sets the cookie that opens the others ---------------------------------------------------
    "pay_link": Row(_CUSTOMER | _SIGNED_IN),
    "pay": Row(_CUSTOMER | _SIGNED_IN),
    "pay_state": Row(_CUSTOMER | _SIGNED_IN),
    "pay_start": Row(act=_CUSTOMER | _SIGNED_IN),
    "pay_check": Row(act=_CUSTOMER | _SIGNED_IN),
    "pay_return": Row(_CUSTOMER | _SIGNED_IN),
    "pay_back": Row(_CUSTOMER | _SIGNED_IN),
    "pay_again": Row(act=_CUSTOMER | _SIGNED_IN),
    "pay_help": Row(act=_CUSTOMER | _SIGNED_IN),
    # --- webhooks of providers, which prove themselves by a signature or a secret ---------------------------------
    # A request without a valid signature of Stripe gets 400 and nothing is stored.
    "stripe_webhook": Row(act=_ANY),
    "twilio_status": Row(),
    "twilio_inbound": Row(),
    "mail_events": Row(),
    # --- the admin ------------------------------------------------------------------------------------------------
    "admin": Row(_ADMIN, _ADMIN),
    # --- the desk -------------------------------------------------------------------------------------------------
    "account_login": Row(_ANY, _ANY),
    # Its view wants a right password in the session, and sends others to the sign-in.
    "mfa_authenticate": Row(),
    "desk_sign_out": Row(act=_ANY),
    # The view checks the link.
    "desk_invitation": Row(),
    "desk_set_up": Row(_SET_UP, _SET_UP, is_fresh=True),
    "desk_confirm": Row(_STAFF, _STAFF),
    "desk_account": Row(_STAFF),
    # It asks for the password of now.
    "desk_password": Row(_STAFF, _STAFF),
    "desk_recovery_codes": Row(act=_STAFF, is_fresh=True),
    "desk_second_step_remove": Row(act=_STAFF, is_fresh=True),
    "desk_session_end": Row(act=_STAFF),
    "desk_sessions_end": Row(act=_STAFF),
    # Open pages ask it when their session ends, and tell it that somebody types.
    "desk_session": Row(_STAFF, _STAFF),
    "desk": _desk(Act.SEE_DESK),
    "desk_changes": _desk(Act.SEE_DESK),
    "desk_book": _desk(Act.BOOK, Act.BOOK),
    # A time that waits until its customer uses the link.
    "desk_hold_again": _booking(act=Act.BOOK),
    "desk_hold_free": _booking(act=Act.BOOK),
    "desk_hold_done": _booking(act=Act.BOOK),
    "desk_queue": _desk(Act.BOOK, Act.BOOK),
    "desk_queue_changes": _desk(Act.BOOK),
    "desk_queue_book": _at_location(act=Act.BOOK),
    "desk_queue_left": _at_location(act=Act.BOOK),
    "desk_queue_back": _at_location(act=Act.BOOK),
    "desk_why": _desk(Act.SEE_PLACE),
    "desk_hands": _desk(Act.SEE_PLACE),
    "desk_team": _desk(Act.MANAGE_TEAM),
    "desk_team_invite": _fresh(_desk(Act.MANAGE_TEAM, Act.MANAGE_TEAM)),
    "desk_team_withdraw": _desk(act=Act.MANAGE_TEAM),
    "desk_team_member": _fresh(_desk(Act.MANAGE_TEAM, Act.MANAGE_TEAM)),
    "desk_team_off": _fresh(_desk(Act.MANAGE_TEAM, Act.MANAGE_TEAM)),
    "desk_team_on": _fresh(_desk(act=Act.MANAGE_TEAM)),
    "desk_team_reset": _fresh(_desk(act=Act.MANAGE_TEAM)),
    "desk_payments": _desk(Act.SEE_PLACE),
    "desk_payments_csv": _fresh(_desk(Act.SEE_PLACE, lists=RecordKind.PAYMENTS)),
    "desk_message_log": _desk(Act.SEE_PLACE),
    "desk_message_log_csv": _fresh(_desk(Act.EXPORT_CUSTOMERS, lists=RecordKind.SENT)),
    "desk_messages": _desk(Act.READ_MESSAGES),
    "desk_message": _desk(Act.READ_MESSAGES, Act.EDIT_MESSAGES),
    "desk_message_text": _desk(Act.READ_MESSAGES, Act.EDIT_MESSAGES),
    # Shows the submitted text and saves nothing.
    "desk_message_preview": _desk(Act.READ_MESSAGES, Act.READ_MESSAGES),
    "desk_time_off": _desk(Act.BLOCK_TIME, Act.BLOCK_TIME),
    "desk_time_off_answer": _at_location(act=Act.ANSWER_TIME_OFF),
    "desk_time_off_remove": _at_location(act=Act.BLOCK_TIME),
    "desk_proposals": _desk(Act.PROPOSE),
    "desk_propose": _desk(Act.PROPOSE),
    "desk_propose_new_service": _desk(Act.PROPOSE, Act.PROPOSE),
    "desk_propose_service": _at_location(Act.PROPOSE, Act.PROPOSE),
    "desk_propose_hours": _at_location(Act.PROPOSE, Act.PROPOSE),
    "desk_proposal": _at_location(Act.PROPOSE),
    "desk_proposal_decide": _desk(act=Act.APPROVE),
    "desk_proposal_withdraw": _at_location(act=Act.PROPOSE),
    "desk_outside_hours": _desk(Act.SEE_PLACE),
    "desk_closures": _desk(Act.EDIT_HOURS),
    "desk_closure_new": _desk(Act.EDIT_HOURS, Act.EDIT_HOURS),
    "desk_closure": _at_location(Act.EDIT_HOURS, Act.EDIT_HOURS),
    "desk_me": _desk(Act.OWN_DAY),
    "desk_me_time_off": _desk(Act.OWN_DAY, Act.OWN_DAY),
    # Customers belong to the whole business. A therapist sees only the customers of own bookings.
    "desk_customers": _desk(Act.SEE_DESK),
    "desk_customers_csv": _fresh(_desk(Act.EXPORT_CUSTOMERS, lists=RecordKind.CUSTOMERS)),
    "desk_customer": _customer(Act.SEE_DESK),
    "desk_customer_new": _desk(Act.EDIT_CUSTOMERS, Act.EDIT_CUSTOMERS),
    "desk_customer_edit": _customer(Act.EDIT_CUSTOMERS, Act.EDIT_CUSTOMERS),
    "desk_customer_tags": _customer(act=Act.EDIT_CUSTOMERS),
    "desk_customer_notes": _customer(act=Act.NOTE_CUSTOMERS),
    "desk_customer_note": _customer(Act.NOTE_CUSTOMERS, Act.NOTE_CUSTOMERS),
    "desk_customer_trust": _customer(Act.TRUST, Act.TRUST),
    "desk_customer_merge": _customer(Act.MERGE_CUSTOMERS, Act.MERGE_CUSTOMERS),
    # --- the desk: bookings of all days ---------------------------------------------------------------------------
    "desk_bookings": _desk(Act.SEE_DESK),
    "desk_bookings_csv": _fresh(_desk(Act.EXPORT_CUSTOMERS, lists=RecordKind.BOOKINGS)),
    # Reading the log is logged as well.
    "desk_access": _desk(Act.READ_ACCESS_LOG),
    "desk_access_csv": _fresh(_desk(Act.EXPORT_ACCESS_LOG, lists=RecordKind.ACCESS)),
    "desk_access_alerts": _desk(Act.READ_ACCESS_LOG),
    "desk_access_alert_done": _desk(act=Act.WATCH_READING),
    "desk_access_limits": _desk(act=Act.WATCH_READING),
    # A case notes the customer whom it shows for the access log itself.
    "desk_privacy": _desk(Act.EDIT_RETENTION, Act.EDIT_RETENTION),
    "desk_privacy_cases": _desk(Act.HANDLE_PRIVACY),
    "desk_privacy_case_new": _desk(Act.HANDLE_PRIVACY, Act.HANDLE_PRIVACY),
    "desk_privacy_case": _desk(Act.HANDLE_PRIVACY),
    "desk_privacy_case_export": _fresh(_desk(act=Act.HANDLE_PRIVACY)),
    "desk_privacy_case_close": _desk(act=Act.HANDLE_PRIVACY),
    "desk_privacy_case_decline": _desk(Act.HANDLE_PRIVACY, Act.HANDLE_PRIVACY),
    "desk_privacy_case_erase": _fresh(_desk(Act.ERASE_CUSTOMERS, Act.ERASE_CUSTOMERS)),
    # --- the desk: one booking ------------------------------------------------------------------------------------
    "desk_booking": _booking(Act.SEE_DESK),
    "desk_booking_messages": _booking(Act.SEE_PLACE, record=RecordKind.MESSAGES),
    "desk_booking_receipt": _booking(Act.READ_RECEIPTS, record=RecordKind.RECEIPT),
    "desk_booking_receipt_pdf": _booking(Act.READ_RECEIPTS, record=RecordKind.RECEIPT),
    "desk_booking_take": _step(Act.TAKE_MONEY),
    "desk_booking_charge": _step(Act.TAKE_MONEY),
    "desk_booking_link": _step(Act.TAKE_MONEY),
    "desk_booking_check": _booking(act=Act.TAKE_MONEY),
    "desk_booking_refund": _fresh(_step(Act.RETURN_MONEY)),
    "desk_booking_approve": _fresh(_step(Act.RETURN_MONEY)),
    "desk_booking_lower": _fresh(_step(Act.RETURN_MONEY)),
    "desk_booking_decline": _step(Act.RETURN_MONEY),
    "desk_booking_hand_back": _fresh(_step(Act.RETURN_MONEY)),
    "desk_booking_discount": _step(Act.RETURN_MONEY),
    "desk_booking_waive": _step(Act.WAIVE),
    "desk_booking_stand": _step(Act.WAIVE),
    "desk_booking_arrived": _step(Act.MARK_PROGRESS),
    "desk_booking_not_arrived": _step(Act.MARK_PROGRESS),
    "desk_booking_start": _step(Act.MARK_PROGRESS),
    "desk_booking_not_started": _step(Act.MARK_PROGRESS),
    "desk_booking_complete": _step(Act.MARK_PROGRESS),
    "desk_booking_not_completed": _step(Act.MARK_PROGRESS),
    "desk_booking_visit": _booking(Act.WRITE_NOTES, record=RecordKind.NOTES),
    "desk_booking_note": _booking(act=Act.WRITE_NOTES, record=RecordKind.NOTES),
    "desk_booking_follow_up": _booking(act=Act.WRITE_NOTES, record=RecordKind.NOTES),
    "desk_booking_follow_up_done": _booking(act=Act.WRITE_NOTES, record=RecordKind.NOTES),
    "desk_booking_missed": _step(Act.MARK_MISSED),
    "desk_booking_came": _step(Act.MARK_MISSED),
    "desk_booking_move": _step(Act.MOVE),
    "desk_booking_undo_move": _step(Act.MOVE),
    "desk_booking_length": _step(Act.MOVE),
    "desk_booking_cancel": _step(Act.CANCEL),
    "desk_booking_keep": _step(Act.OVERRIDE),
    "desk_booking_answer": _step(Act.ANSWER),
    "desk_booking_reply": _step(Act.ANSWER),
    "desk_booking_trust": _step(Act.TRUST),
    "desk_alert": _at_location(Act.RESOLVE, Act.RESOLVE),
    "desk_text_stop": _at_location(act=Act.ANSWER),
    "desk_text_done": _at_location(act=Act.ANSWER),
    "desk_message_again": _at_location(act=Act.SEND_AGAIN),
}
