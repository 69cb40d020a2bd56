"""Sentences about money for customers: what is paid when booking, what is refunded, what a card may be charged.

Pure except for translations. The amounts come from a ``Demand`` or a ``Settlement``, so words and behaviour cannot
differ. The sentences about the rules are in ``wording.policies``.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext, ngettext, override

from bookings.rules.prepayment import Demand
from bookings.rules.settlement import Settlement
from bookings.rules.terms import Terms
from bookings.wording.policies import PolicyFacts, moment_words, plain_fee_sentence, plain_no_show_sentence
from core import money
from payments.approvals import ANSWER_WITHIN
from payments.brands import brand_name
from services.enums import PaymentMode


def demand_sentence(demand: Demand, *, currency: str, language: str) -> str:
    """Return what is paid now and what at the visit."""
    now, later = (money.formatted(sum_, currency, language) for sum_ in (demand.due_now_minor, demand.due_later_minor))
    with override(language):
        if not demand.due_now_minor and not demand.due_later_minor:
            return gettext("There is nothing to pay.")
        text = {
            PaymentMode.NONE: gettext("Nothing to pay online."),
            PaymentMode.VENUE: gettext("Nothing to pay now; %(later)s at the visit."),
            PaymentMode.DEPOSIT: gettext("%(now)s now, %(later)s at the visit.")
            if demand.has_extras
            else gettext("Deposit now %(now)s, rest at the visit %(later)s."),
            PaymentMode.FULL: gettext("%(now)s now, %(later)s at the visit.")
            if demand.due_later_minor
            else gettext("%(now)s now, nothing at the visit."),
            PaymentMode.CARD: gettext("Nothing to pay now; %(later)s at the visit. Your card is kept for fees only."),
        }[demand.mode]
        return text % {"now": now, "later": later}


def card_consent(facts: PolicyFacts, demand: Demand, *, business_name: str) -> str:
    """Return the consent of a customer who leaves a card: who may charge it, when, at most how much, how to cancel.

    Plain text, shown next to the button and stored with the consent. Empty where no card is saved.
    """
    if not demand.saves_card:
        return ""
    language = facts.language
    names = {"name": business_name, "most": money.formatted(demand.cap_minor, facts.fees.currency, language)}
    no_show = plain_no_show_sentence(facts)
    with override(language):
        first = gettext(
            "%(name)s keeps your card for this appointment and may later charge it %(most)s at most, "
            "only for a fee by these rules."
        )
        if demand.due_now_minor:
            first = gettext(
                "%(name)s keeps your card for this appointment and may later charge it %(most)s at most beyond "
                "what you pay now, only for a fee by these rules."
            )
        sentences = [
            first % names,
            plain_fee_sentence(facts),
            _waiver(facts.fees.terms, no_show),
            gettext("To cancel, use the link in your confirmation."),
        ]
    return " ".join(filter(None, sentences))


def refund_sentence(
    amount_minor: int, *, currency: str, language: str, card_brand: str = "", card_last4: str = ""
) -> str:
    """Return how much is refunded, where to and how long that takes. Empty where nothing is refunded."""
    if not amount_minor:
        return ""
    amount = money.formatted(amount_minor, currency, language)
    with override(language):
        if not card_last4:
            return gettext("%(amount)s goes back the way you paid, usually in 5–10 business days.") % {"amount": amount}
        text = gettext("%(amount)s goes back to your %(card)s, usually in 5–10 business days.")
        return text % {"amount": amount, "card": card_words(card_brand, card_last4)}


def checked_sentence(amount_minor: int, *, until: datetime, zone: ZoneInfo, currency: str, language: str) -> str:
    """Return that the business reviews a refund first, and when the customer gets an answer at the latest."""
    amount = money.formatted(amount_minor, currency, language)
    with override(language):
        text = gettext("Your refund of %(amount)s is being checked. You hear from us by %(moment)s.")
        return text % {"amount": amount, "moment": moment_words(until, zone)}


def check_sentence(amount_minor: int, *, currency: str, language: str) -> str:
    """Return the warning before cancelling that the business reviews the refund first, and how long that takes."""
    hours = ANSWER_WITHIN // timedelta(hours=1)
    with override(language):
        text = gettext(
            "We check the refund of %(amount)s first and write to you within %(hours)d hours. "
            "Once approved, it usually takes 5–10 business days."
        )
        return text % {"amount": money.formatted(amount_minor, currency, language), "hours": hours}


def only_card(cards: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return brand and last digits of the card that paid everything; empty where there was another method too.

    ``cards`` has one pair for each payment received, empty for cash.
    """
    different = set(cards)
    return different.pop() if len(different) == 1 else ("", "")


def card_words(brand: str, last4: str) -> str:
    """Return the name of a card such as Visa ending 4242, in the active language."""
    name = brand_name(brand) or gettext("card")
    return gettext("%(brand)s ending %(digits)s") % {"brand": name, "digits": last4}


def settlement_sentence(settled: Settlement, *, currency: str, language: str, card: str = "") -> str:
    """Return what cancelling does to the money: refunded, kept, charged to ``card``, still due.

    ``card`` comes from ``card_words``.
    """
    with override(language):
        parts = [
            (settled.refund_minor, gettext("You get %(amount)s back.")),
            (settled.keep_minor, gettext("%(amount)s is kept.")),
            (
                settled.charge_minor,
                gettext("%(amount)s is charged to your %(card)s.")
                if card
                else gettext("%(amount)s is charged to your card."),
            ),
            (settled.open_minor, gettext("%(amount)s is still to be paid.")),
        ]
        said = [
            text % {"amount": money.formatted(sum_, currency, language), "card": card} for sum_, text in parts if sum_
        ]
        return " ".join(said) or gettext("There is nothing to pay.")


def _waiver(terms: Terms, no_show: str) -> str:
    """Return when a fee for not coming is charged; until then staff may waive it."""
    if not no_show or not terms.waiver_hours:
        return ""
    text = ngettext(
        "It is charged %(count)d hour after we write to you about it, at the earliest.",
        "It is charged %(count)d hours after we write to you about it, at the earliest.",
        terms.waiver_hours,
    )
    return text % {"count": terms.waiver_hours}
