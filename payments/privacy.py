"""Personal data around money: names on receipts, what staff write about payments, cards. Sums and ids stay."""

from collections.abc import Mapping
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Func, JSONField, QuerySet, TextField, Value
from django.db.models.expressions import F
from django.utils.translation import gettext_lazy as _

from core.money import major
from core.personal_data import DataKind, Erasing, Held, Person, iso
from payments.models import MoneyAlert, Payment, Receipt, ReceiptDocument, Refund, SavedCard

# Stands where a constraint asks for a reason.
NO_WORDS = "–"


def _payments(person: Person) -> QuerySet[Payment]:
    return Payment.objects.filter(subject_ref__in=person.refs)


def _refunds(person: Person) -> QuerySet[Refund]:
    return Refund.objects.filter(payment__in=_payments(person))


def _receipts(person: Person) -> QuerySet[Receipt]:
    return Receipt.objects.filter(subject_ref__in=person.refs)


NO_CUSTOMER_NAME = Func(
    F("contents"),
    Value(["customer_name"], ArrayField(TextField())),
    Value("", JSONField()),
    function="jsonb_set",
    output_field=JSONField(),
)

RECEIPT_NAMES = (
    Held(
        model="payments.ReceiptDocument",
        columns=("pdf",),
        what=_("PDF of a receipt"),
        why=_("So that every download is the same document"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.DELETE,
        rows=lambda person: ReceiptDocument.objects.filter(receipt__in=_receipts(person)),
        export="payments",
        note=_("A worker draws it again, without the name."),
    ),
    Held(
        model="payments.Receipt",
        columns=("contents",),
        what=_("Customer's name on a receipt"),
        why=_("Receipts are tax documents"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=_receipts,
        values={"contents": NO_CUSTOMER_NAME},
        export="payments",
        note=_(
            "Number, date, services and sums stay. The name stays as long as the settings say, if the law asks for it."
        ),
    ),
)
HELD = (
    Held(
        model="payments.Payment",
        columns=("note",),
        what=_("What staff write about a payment"),
        why=_("To find it again in the cash book"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=_payments,
        export="payments",
    ),
    Held(
        model="payments.Payment",
        columns=("card_brand", "card_last4"),
        what=_("Brand and last four digits of a card"),
        why=_("To recognise a payment on a statement, and if a bank disputes it"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.KEEP,
        export="payments",
        note=_("Part of the receipt. Without the name and the full number they identify nobody."),
    ),
    Held(
        model="payments.Refund",
        columns=("note",),
        what=_("What staff write about a refund"),
        why=_("To explain the refund later"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=_refunds,
        export="payments",
    ),
    Held(
        model="payments.Refund",
        columns=("decision",),
        what=_("Why a refund was lowered or declined"),
        why=_("The customer reads it"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=lambda person: _refunds(person).exclude(decision=""),
        values={"decision": NO_WORDS},
        export="payments",
    ),
    Held(
        model="payments.SavedCard",
        columns=("brand", "last4"),
        what=_("Brand, last four digits and end of a saved card"),
        why=_("To charge a fee that the customer agreed to"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=lambda person: SavedCard.objects.filter(subject_ref__in=person.refs),
        values={"exp_month": None, "exp_year": None},
        export="payments",
        note=_("The number is only at Stripe, which forgets it when the card is detached."),
    ),
    Held(
        model="payments.MoneyAlert",
        columns=("resolution",),
        what=_("How staff settled a problem with money"),
        why=_("To explain it later"),
        kind=DataKind.PAYMENTS,
        erasing=Erasing.BLANK,
        rows=lambda person: MoneyAlert.objects.filter(subject_ref__in=person.refs),
        note=_("It is about how the business worked. What it says about the customer is in the payments themselves."),
    ),
    *RECEIPT_NAMES,
    Held(
        model="payments.Payment",
        columns=("actor_name",),
        what=_("Staff member who took a payment"),
        why=_("Cash book"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="payments.Refund",
        columns=("actor_name", "decided_by"),
        what=_("Staff member who made or decided a refund"),
        why=_("Cash book"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
    Held(
        model="payments.MoneyAlert",
        columns=("resolved_by",),
        what=_("Staff member who settled a problem with money"),
        why=_("To ask them about it"),
        kind=DataKind.STAFF,
        erasing=Erasing.KEEP,
        note=_("It is about staff."),
    ),
)
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    # A Stripe customer has only the id of the bill: no name and no address.
    "payments.Bill": ("currency", "stripe_customer_id"),
    # Copies of the catalogue.
    "payments.BillLine": ("subject_ref", "text"),
    "payments.Payment": ("subject_ref", "currency", "intent_id", "method_type", "failure_code", "request_key"),
    "payments.Refund": ("currency", "stripe_refund_id", "failure_code", "request_key"),
    "payments.CardSetup": ("subject_ref", "setup_intent_id"),
    "payments.SavedCard": ("subject_ref", "payment_method_id", "currency"),
    "payments.Decline": ("event_id", "subject_ref"),
    # Of an event only ids, the status and the sum are stored.
    "payments.StripeEvent": ("event_id", "type", "object_id", "account", "payload", "outcome"),
    "payments.MoneyAlert": ("key", "subject_ref", "details"),
    "payments.Receipt": ("number", "subject_ref"),
    "payments.Reconciliation": ("report",),
}


def exported(person: Person) -> dict[str, Any]:
    """Return the section of the export about payments and refunds. Amounts are decimals of their currency, as text."""
    payments = _payments(person).select_related("receipt").prefetch_related("refunds__receipt").order_by("pk")
    cards = SavedCard.objects.filter(subject_ref__in=person.refs).order_by("pk")
    return {
        "payments": [_payment(each) for each in payments],
        "saved_cards": [
            {
                "about": each.subject_ref,
                "brand": each.brand,
                "last_digits": each.last4,
                "at_most": str(major(each.cap_minor, each.currency)),
                "currency": each.currency,
                "saved_at": iso(each.created_at),
                "forgotten_at": iso(each.detached_at),
            }
            for each in cards
        ],
    }


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "about": payment.subject_ref,
        "at": iso(payment.succeeded_at or payment.created_at),
        "purpose": str(payment.purpose),
        "method": payment.method_type or str(payment.method),
        "card": f"{payment.card_brand} {payment.card_last4}".strip(),
        "amount": str(major(payment.amount_minor, payment.currency)),
        "currency": payment.currency,
        "status": str(payment.status),
        "note": payment.note,
        "receipt": _number(payment),
        "refunds": [
            {
                "at": iso(each.done_at or each.created_at),
                "amount": str(major(each.amount_minor, each.currency)),
                "currency": each.currency,
                "status": str(each.status),
                "note": each.note,
                "decision": each.decision,
                "receipt": _number(each),
            }
            for each in payment.refunds.all()
        ],
    }


def _number(movement: Payment | Refund) -> str:
    receipt = getattr(movement, "receipt", None)
    return receipt.number if receipt else ""
