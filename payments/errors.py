"""What can prevent a payment, in words for whoever wanted to pay; and how the provider can fail, for our code."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict, DomainError, Refused


class PaymentUnavailable(DomainError):
    """The payment provider does not answer. Nothing was charged."""

    code = "payment_unavailable"
    status = 503

    def __init__(self, **data: Any) -> None:
        super().__init__(
            _("Our payment provider does not answer right now. Nothing was charged. Please try again in a minute."),
            **data,
        )


class AlreadyPaid(Conflict):
    """It is paid, or a payment is being checked."""

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
    """``left_minor`` in the data is what can still be returned."""

    code = "refund_too_large"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("That is more than what is left of this payment."), **data)


class RefundNotPossible(Refused):
    code = "refund_not_possible"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("This refund is not in a state in which that can be done."), **data)


class RefundDecided(Conflict):
    """Somebody was faster, or what waits is another sum by now."""

    code = "refund_decided"

    def __init__(self, **data: Any) -> None:
        super().__init__(_("This refund was decided or changed meanwhile. Nothing was done now."), **data)


class ProviderFailed(Exception):
    """The provider could not be asked, or failed itself. Worth trying again.

    ``answered``: it did answer, with an error that it keeps under the idempotency key, so that only another key helps.
    """

    def __init__(self, reason: str, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.answered = answered


class ProviderRefused(Exception):
    """The provider understood and said no. ``code`` is its word for why; ``object_id`` the object it speaks of."""

    def __init__(self, code: str, *, object_id: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.object_id = object_id


class UnknownToProvider(ProviderRefused):
    """The provider has no such object: it is of another account, or the database is of another day."""
