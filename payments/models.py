"""Bills, payments, refunds, saved cards, Stripe events, money alerts and receipts.

The app knows amounts and references (``booking:17``), not what was sold. Amounts are minor units of the bill's
currency. Balances are computed from the rows and never stored.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.row_times import active_moment
from payments.enums import (
    LIVE_PAYMENTS,
    AlertKind,
    Method,
    PaymentStatus,
    Purpose,
    RefundReason,
    RefundStatus,
    SetupStatus,
)


class Bill(models.Model):
    """What one customer owes in one currency. Several bookings may share a bill; its total is the sum of its lines."""

    customer = models.ForeignKey(
        "accounts.Customer", null=True, blank=True, on_delete=models.PROTECT, related_name="bills"
    )
    currency = models.CharField(max_length=3)
    stripe_customer_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Bill {self.pk}"


class BillLine(models.Model):
    """One line of a bill, with a copy of its text and tax. ``gross_minor`` is what the customer owes.

    ``subject_ref`` says what the line is for (``booking:17``), ``kind`` why. A correction is a new line, usually with a
    negative amount.
    """

    class Kind(models.TextChoices):
        SERVICE = "service"
        ADD_ON = "add_on"
        CANCELLATION_FEE = "cancellation_fee"
        NO_SHOW_FEE = "no_show_fee"
        CHANGE_FEE = "change_fee"
        CORRECTION = "correction"
        WAIVER = "waiver"
        REDUCTION = "reduction"

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    subject_ref = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.CharField(max_length=200)
    quantity = models.PositiveSmallIntegerField(default=1)
    net_minor = models.BigIntegerField()
    tax_basis_points = models.PositiveSmallIntegerField(default=0)
    tax_minor = models.BigIntegerField()
    gross_minor = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(gross_minor=models.F("net_minor") + models.F("tax_minor")), name="payments_billline_sum"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["subject_ref"], name="payments_billline_subject")]

    def __str__(self) -> str:
        return self.text


class Payment(models.Model):
    """A payment that is requested or received. The row is committed before the call to Stripe, so a crash loses none.

    ``key`` identifies the row at Stripe (metadata, idempotency). A subject has at most one open payment per purpose, so
    that two tabs pay the same one. ``request_key`` makes a repeated form of the desk count once.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="payments")
    subject_ref = models.CharField(max_length=40)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.STRIPE)
    status = models.CharField(max_length=12, choices=PaymentStatus.choices, default=PaymentStatus.CREATED)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    is_off_session = models.BooleanField(default=False)
    saves_card = models.BooleanField(default=False)
    cap_minor = models.PositiveBigIntegerField(
        default=0, help_text=_("The most that the saved card may be charged later.")
    )
    intent_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    method_type = models.CharField(max_length=40, blank=True)
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    key_serial = models.PositiveSmallIntegerField(default=0, help_text=_("Rises when the provider failed under a key."))
    is_disputed = models.BooleanField(default=False)
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    called_off_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Wanted no more since; the provider may have been faster.")
    )
    checked_at = models.DateTimeField(null=True, blank=True, help_text=_("When the provider was last asked."))
    succeeded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_payment_positive"),
            models.CheckConstraint(
                condition=~Q(status=PaymentStatus.SUCCEEDED) | Q(succeeded_at__isnull=False),
                name="payments_payment_success_dated",
            ),
            models.UniqueConstraint(
                fields=["subject_ref", "purpose"],
                condition=Q(status__in=sorted(LIVE_PAYMENTS)),
                name="payments_payment_one_waiting",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject_ref"], name="payments_payment_subject"),
            models.Index(
                fields=["created_at"], condition=Q(status__in=sorted(LIVE_PAYMENTS)), name="payments_payment_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"Payment {self.pk} ({self.purpose}, {self.status})"

    @property
    def is_being_charged(self) -> bool:
        """Whether an open payment is being charged to a saved card: not declined by the bank, not cancelled by us."""
        return self.is_off_session and not self.failure_code and self.called_off_at is None


class Refund(models.Model):
    """A refund of one payment. The sum of the refunds that count (``COUNTING_REFUNDS``) never exceeds the payment.

    ``method`` may differ from the payment's, for instance cash after a failed refund to a card. A refund that needs
    approval is decided by ``answer_by``. ``asked_minor`` is its amount before a staff member lowered it, ``decision``
    the reason that the customer reads.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    method = models.CharField(max_length=10, choices=Method.choices, default=Method.STRIPE)
    status = models.CharField(max_length=20, choices=RefundStatus.choices, default=RefundStatus.QUEUED)
    reason = models.CharField(max_length=10, choices=RefundReason.choices)
    note = models.CharField(max_length=300, blank=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    stripe_refund_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    failure_code = models.CharField(max_length=60, blank=True)
    key_serial = models.PositiveSmallIntegerField(default=0, help_text=_("Rises when the provider failed under a key."))
    request_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    asked_minor = models.PositiveBigIntegerField(null=True, blank=True)
    answer_by = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=120, blank=True)
    decision = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_refund_positive"),
            models.CheckConstraint(
                condition=~Q(status=RefundStatus.AWAITING_APPROVAL) | Q(answer_by__isnull=False, decided_at=None),
                name="payments_refund_waits_until",
            ),
            models.CheckConstraint(
                condition=(~Q(status=RefundStatus.DECLINED) & Q(asked_minor=None))
                | (Q(decided_at__isnull=False) & ~Q(decision="")),
                name="payments_refund_less_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(asked_minor=None) | Q(asked_minor__gt=F("amount_minor")),
                name="payments_refund_lowered",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["answer_by"],
                condition=Q(status=RefundStatus.AWAITING_APPROVAL),
                name="payments_refund_awaiting",
            )
        ]

    def __str__(self) -> str:
        return f"Refund {self.pk} ({self.status})"


class CardSetup(models.Model):
    """A request to the customer to save a card for later fees, without a payment now."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="card_setups")
    subject_ref = models.CharField(max_length=40)
    status = models.CharField(max_length=12, choices=SetupStatus.choices, default=SetupStatus.CREATED)
    setup_intent_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    cap_minor = models.PositiveBigIntegerField()
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subject_ref"],
                condition=Q(status__in=[SetupStatus.CREATED, SetupStatus.OPEN, SetupStatus.PROCESSING]),
                name="payments_cardsetup_one_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"Card setup {self.pk} ({self.status})"


class SavedCard(models.Model):
    """A card that may be charged for fees of one subject, up to ``cap_minor`` in total, as the customer agreed.

    The row holds Stripe's ids and what may be shown of the card, never its number.
    """

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="saved_cards")
    subject_ref = models.CharField(max_length=40, unique=True)
    consent = models.ForeignKey("accounts.Consent", on_delete=models.PROTECT, related_name="+")
    payment_method_id = models.CharField(max_length=64)
    brand = models.CharField(max_length=20, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    exp_month = models.PositiveSmallIntegerField(null=True, blank=True)
    exp_year = models.PositiveSmallIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    cap_minor = models.PositiveBigIntegerField()
    is_frozen = models.BooleanField(default=False, help_text=_("No further fees, because a payment is disputed."))
    created_at = models.DateTimeField()
    detach_after = models.DateTimeField(null=True, blank=True)
    detached_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.brand} {self.last4}"


class Decline(models.Model):
    """A card that a bank declined while a customer was paying: one row for each Stripe event, kept for a day."""

    event_id = models.CharField(max_length=64, unique=True)
    subject_ref = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["subject_ref", "at"], name="payments_decline_subject")]

    def __str__(self) -> str:
        return self.event_id


class StripeEvent(models.Model):
    """A Stripe event, stored before it is handled. Its body is only a hint: handlers read the object from Stripe."""

    event_id = models.CharField(max_length=64, unique=True)
    type = models.CharField(max_length=80)
    object_id = models.CharField(max_length=64, blank=True)
    account = models.CharField(max_length=64, blank=True)
    is_live = models.BooleanField(default=False)
    payload = models.JSONField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["received_at"], name="payments_event_received"),
            models.Index(fields=["object_id"], condition=Q(handled_at__isnull=True), name="payments_event_unread"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class MoneyAlert(models.Model):
    """A money problem that a staff member has to look at. The unique ``key`` prevents a second alert about it."""

    kind = models.CharField(max_length=20, choices=AlertKind.choices)
    key = models.CharField(max_length=120, unique=True)
    subject_ref = models.CharField(max_length=40, blank=True)
    payment = models.ForeignKey(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="alerts")
    refund = models.ForeignKey(Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="alerts")
    details = models.JSONField(default=dict, blank=True, help_text="Ids and sums only, nothing personal.")
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=120, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], condition=Q(resolved_at__isnull=True), name="payments_alert_open")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject_ref}"


class ReceiptSeries(models.Model):
    """The last receipt number of a year. The row is locked while a number is taken, so that numbers have no gaps."""

    year = models.PositiveSmallIntegerField(unique=True)
    last_serial = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.year}: {self.last_serial}"


class Receipt(models.Model):
    """A numbered receipt for one payment or refund. ``contents`` is ``receipts.ReceiptContents`` and never changes."""

    number = models.CharField(max_length=20, unique=True)
    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="receipts")
    subject_ref = models.CharField(max_length=40)
    payment = models.OneToOneField(Payment, null=True, blank=True, on_delete=models.PROTECT, related_name="receipt")
    refund = models.OneToOneField(Refund, null=True, blank=True, on_delete=models.PROTECT, related_name="receipt")
    contents = models.JSONField()
    issued_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(payment__isnull=False, refund__isnull=True) | Q(payment__isnull=True, refund__isnull=False),
                name="payments_receipt_one_movement",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["subject_ref"], name="payments_receipt_subject")]

    def __str__(self) -> str:
        return self.number


class ReceiptDocument(models.Model):
    """The PDF of a receipt. A worker draws it once and never again, so that every download has the same bytes."""

    receipt = models.OneToOneField(Receipt, primary_key=True, on_delete=models.CASCADE, related_name="document")
    pdf = models.BinaryField()
    drawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.receipt_id}.pdf"


class Reconciliation(models.Model):
    """One comparison with Stripe: how many objects were compared, which were repaired, which need a staff member."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField()
    checked_count = models.PositiveIntegerField(default=0)
    repaired_count = models.PositiveIntegerField(default=0)
    listed_count = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=list, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")),
                name="payments_reconciliation_order",
            )
        ]

    def __str__(self) -> str:
        return active_moment(self.started_at)
