"""What Stripe's published test cards do. A number that is not among them is no test card, and is kept nowhere."""

from dataclasses import dataclass
from typing import Any, Literal

Authentication = Literal["", "unless_set_up", "always", "set_up"]
"""unless_set_up: whenever the customer is there, and without them unless they agreed to later charges before.
always: every time. set_up: whenever the customer is there, never without them."""

DECLINES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "test_mode_live_card": (
        "card_declined",
        "Your card was declined. Your request was in test mode, but used a non test card.",
    ),
}
"""Decline code: the error's code and message."""


@dataclass(frozen=True)
class Card:
    """One test card. `decline` is a decline code; `can_be_saved` is whether it declines only when charged."""

    last4: str
    brand: str = "visa"
    decline: str = ""
    can_be_saved: bool = True
    authentication: Authentication = ""
    refund: Literal["", "pending", "fails"] = ""
    is_disputed: bool = False


def _refused(last4: str, decline: str) -> Card:
    return Card(last4, decline=decline, can_be_saved=False)


CARDS = {
    "4242424242424242": Card("4242"),
    "5555555555554444": Card("4444", "mastercard"),
    "378282246310005": Card("0005", "amex"),
    "4000000000003055": Card("3055"),
    "4000000000000002": _refused("0002", "generic_decline"),
    "4000000000009995": _refused("9995", "insufficient_funds"),
    "4000000000009987": _refused("9987", "lost_card"),
    "4000000000009979": _refused("9979", "stolen_card"),
    "4000000000000069": _refused("0069", "expired_card"),
    "4000000000000127": _refused("0127", "incorrect_cvc"),
    "4000000000000119": _refused("0119", "processing_error"),
    "4000000000000341": Card("0341", decline="generic_decline"),
    "4000002500003155": Card("3155", authentication="unless_set_up"),
    "4000002760003184": Card("3184", authentication="always"),
    "4000000000003220": Card("3220", authentication="always"),
    "4000003800000446": Card("0446", authentication="set_up"),
    "4000008260003178": Card("3178", decline="insufficient_funds", authentication="always"),
    "4000008400001629": Card("1629", decline="generic_decline", authentication="always"),
    "4000000000007726": Card("7726", refund="pending"),
    "4000000000005126": Card("5126", refund="fails"),
    "4000000000000259": Card("0259", is_disputed=True),
}
IDS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_amex": "378282246310005",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequiredSetupForOffSession": "4000003800000446",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
    "pm_card_createDispute": "4000000000000259",
}
"""The payment methods that exist from the start, by the number they stand for."""


def is_number(number: str) -> bool:
    """Whether the check digit of a card number is right."""
    digits = [int(digit) for digit in reversed(number)] if number.isascii() and number.isdecimal() else []
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return 12 <= len(digits) <= 19 and (sum(digits[::2]) + doubled) % 10 == 0


def shown(card: Card, *, month: int, year: int, country: str = "US") -> dict[str, Any]:
    """The `card` of a payment method: what may be known of it."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": country,
        "display_brand": card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": f"standin{card.last4}",
        "funding": "credit",
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
