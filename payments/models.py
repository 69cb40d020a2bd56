"""What is due. Knows amounts, not what was sold; what moved (payments, refunds) hangs on the bill."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Bill(models.Model):
    """What one customer owes in one currency; several bookings may share it. Totals are computed from its lines."""

    customer = models.ForeignKey(
        "accounts.Customer", null=True, blank=True, on_delete=models.PROTECT, related_name="bills"
    )
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Bill {self.pk}"


class BillLine(models.Model):
    """One copied line. ``gross_minor`` is what is owed; a correction is a line of its own with a negative amount.

    ``subject_ref`` says what it is for (``booking:17``), ``kind`` why.
    """

    class Kind(models.TextChoices):
        SERVICE = "service"
        ADD_ON = "add_on"
        CANCELLATION_FEE = "cancellation_fee"
        CHANGE_FEE = "change_fee"
        CORRECTION = "correction"

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="lines")
    subject_ref = models.CharField(max_length=40)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    text = models.CharField(max_length=200)
    quantity = models.PositiveSmallIntegerField(default=1)
    net_minor = models.IntegerField()
    tax_basis_points = models.PositiveSmallIntegerField(default=0)
    tax_minor = models.IntegerField()
    gross_minor = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(gross_minor=models.F("net_minor") + models.F("tax_minor")), name="payments_billline_sum"
            )
        ]

    def __str__(self) -> str:
        return self.text
