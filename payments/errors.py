"""Errors of payments and refunds, with sentences for customers and staff; and the failures of Stripe, for our code."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, Refused


class PaymentUnavailable(DomainError):
    """Stripe does not answer. Nothing was charged."""

    code = "payment_unavailable"
    status = 503

    def __init__(self, **data: Any) -> None:
        super().__init__(
            _("Our payment provider does not answer right now. Nothing was charged. Please try again in a minute."),
            **data,
        )


class AlreadyPaid(Conflict):
    """The amount is paid, or Stripe is still checking a payment of it."""

    code = "already_paid"

    def __init__(self, **data: Any) -> None:
        super().__init__(
            _("This is already paid, or the payment is just being checked. You need not pay again."), **data
        )


class NoOnlinePayment(Refused):
    code = "no_online_payment"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("Nothing can be paid online here. Please pay at the visit."), **data)


class RefundTooLarge(Refused):
    """``left_minor`` in the data is what can still be refunded."""

    code = "refund_too_large"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("That is more than what is left of this payment."), **data)


class RefundNotPossible(Refused):
    code = "refund_not_possible"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("This refund is not in a state in which that can be done."), **data)


class RefundDecided(Conflict):
    """Another staff member has decided this refund, or its amount has changed."""

    code = "refund_decided"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("This refund was decided or changed meanwhile. Nothing was done now."), **data)


class ProviderFailed(Exception):
    """Stripe could not be reached or had a failure of its own. The same request may be tried again.

    ``answered``: Stripe keeps its error under the idempotency key, so the next try needs another key.
    """

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered


class ProviderRefused(Exception):
    """Stripe refused the request. ``code`` is Stripe's reason, ``object_id`` the Stripe object that it is about."""

    def __init__(self, code: str, *, object_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.object_id = object_id


class UnknownToProvider(ProviderRefused):
    """Stripe has no such object: it belongs to another account, or our database was restored from a backup."""
