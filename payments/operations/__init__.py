"""Operations on bills, payments and refunds.

Each one says whether it runs in the caller's transaction or calls Stripe. No operation calls Stripe inside a
transaction.
"""

from payments.operations.alerts import raise_alert, resolve_alert
from payments.operations.bills import NewLine, add_line, open_bill
from payments.operations.cards import StartedSetup, detach_cards_due, start_card_setup, sync_card_setup
from payments.operations.charging import request_charge
from payments.operations.paying import StartedPayment, call_off_payments, record_payment, start_payment, sync_payment
from payments.operations.receipts import draw_missing_receipts, draw_receipt, issue_receipt
from payments.operations.refund_decision import decide_refund, list_waiting_refunds
from payments.operations.refunding import hand_back, refund_payment, request_refunds

__all__ = [
    "NewLine",
    "StartedPayment",
    "StartedSetup",
    "add_line",
    "call_off_payments",
    "decide_refund",
    "detach_cards_due",
    "draw_missing_receipts",
    "draw_receipt",
    "hand_back",
    "issue_receipt",
    "list_waiting_refunds",
    "open_bill",
    "raise_alert",
    "record_payment",
    "refund_payment",
    "request_charge",
    "request_refunds",
    "resolve_alert",
    "start_card_setup",
    "start_payment",
    "sync_card_setup",
    "sync_payment",
]
