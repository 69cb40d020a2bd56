"""Booking and cancellation policies: when customers may book, and what booking, cancelling, moves and no-shows cost."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import MinorUnitsField
from services.enums import DepositKind, DepositRule, FeeKind, OverLimit, PaymentMode


class BookingPolicy(models.Model):
    """When customers may book: lead time, horizon, grid of starts, hold. Durations are minutes, the horizon is days."""

    name = models.CharField(max_length=80)
    lead_minutes = models.PositiveIntegerField(_("minimum notice (minutes)"), default=60)
    horizon_days = models.PositiveSmallIntegerField(
        _("bookable ahead (days)"), default=60, validators=[MinValueValidator(1), MaxValueValidator(730)]
    )
    slot_interval_minutes = models.PositiveSmallIntegerField(
        _("a start every (minutes)"), default=15, validators=[MinValueValidator(5), MaxValueValidator(720)]
    )
    hold_minutes = models.PositiveSmallIntegerField(
        _("hold a picked time for (minutes)"), default=10, validators=[MinValueValidator(2), MaxValueValidator(60)]
    )

    class Meta:
        verbose_name_plural = _("booking policies")

    def __str__(self) -> str:
        return self.name


class CancellationPolicy(models.Model):
    """What customers pay when booking, and what cancelling, moving and no-shows cost.

    Windows are elapsed minutes before the start.
    """

    name = models.CharField(max_length=80)
    reschedule_until_minutes = models.PositiveIntegerField(
        _("may be moved until (minutes before)"),
        null=True,
        blank=True,
        help_text=_("Empty: as long as cancelling is free."),
    )
    free_move_count = models.PositiveSmallIntegerField(
        _("free moves"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    over_limit = models.CharField(
        _("after the free moves"), max_length=10, choices=OverLimit.choices, default=OverLimit.BLOCKED
    )
    change_fee_minor = MinorUnitsField(_("fee per further move (minor units)"), default=0)
    grace_minutes = models.PositiveSmallIntegerField(_("free to cancel for (minutes after booking)"), default=15)
    grace_min_lead_minutes = models.PositiveIntegerField(_("… unless it starts within (minutes)"), default=120)
    payment_mode = models.CharField(
        _("when booking"), max_length=10, choices=PaymentMode.choices, default=PaymentMode.VENUE
    )
    deposit_kind = models.CharField(
        _("the deposit is a"), max_length=10, choices=DepositKind.choices, default=DepositKind.PERCENT
    )
    deposit_value = MinorUnitsField(
        _("deposit"), default=0, help_text=_("Percent: hundredths of a percent (2000 = 20 %). Fixed: minor units.")
    )
    deposit_rule = models.CharField(
        _("when cancelling is free, the deposit"),
        max_length=20,
        choices=DepositRule.choices,
        default=DepositRule.REFUND_IF_FREE,
    )
    is_fee_capped_at_deposit = models.BooleanField(
        _("a customer never loses more than the deposit"),
        default=True,
        help_text=_("Counts where a deposit is asked."),
    )
    saves_card = models.BooleanField(
        _("keep the card for later fees"),
        default=False,
        help_text=_("Where a deposit or the whole price is asked: customers agree to it before they pay."),
    )
    no_show_fee_kind = models.CharField(
        _("not coming costs"), max_length=10, choices=FeeKind.choices, default=FeeKind.NONE
    )
    no_show_fee_value = MinorUnitsField(
        _("fee for not coming"),
        default=0,
        help_text=_("Percent: hundredths of a percent (5000 = 50 %). Fixed: minor units."),
    )
    no_show_grace_minutes = models.PositiveSmallIntegerField(
        _("may be marked as not come after (minutes)"), default=15, validators=[MaxValueValidator(1440)]
    )
    waiver_hours = models.PositiveSmallIntegerField(
        _("time to waive a fee before it is charged (hours)"), default=24, validators=[MaxValueValidator(14 * 24)]
    )
    charges_fees_automatically = models.BooleanField(
        _("charge fees by itself"), default=True, help_text=_("Off: somebody charges each fee by hand.")
    )
    first_no_show_free_days = models.PositiveSmallIntegerField(
        _("the first time in so many days is free"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Empty: every time costs."),
    )

    class Meta:
        verbose_name_plural = _("cancellation policies")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(deposit_kind=DepositKind.PERCENT) | Q(deposit_value__lte=10_000),
                name="services_cancellationpolicy_deposit_percent",
                violation_error_message=_("A deposit cannot be more than 100 percent."),
            ),
            models.CheckConstraint(
                condition=~Q(payment_mode=PaymentMode.DEPOSIT) | Q(deposit_value__gt=0),
                name="services_cancellationpolicy_deposit_value",
                violation_error_message=_("Say how much the deposit is."),
            ),
            models.CheckConstraint(
                condition=~Q(no_show_fee_kind=FeeKind.PERCENT) | Q(no_show_fee_value__lte=10_000),
                name="services_cancellationpolicy_no_show_percent",
                violation_error_message=_("The fee for not coming cannot be more than 100 percent."),
            ),
            models.CheckConstraint(
                condition=~Q(no_show_fee_kind__in=[FeeKind.PERCENT, FeeKind.FIXED]) | Q(no_show_fee_value__gt=0),
                name="services_cancellationpolicy_no_show_value",
                violation_error_message=_("Say how much not coming costs."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CancellationTier(models.Model):
    """One step of a cancellation policy: this fee applies until this many minutes before the start."""

    policy = models.ForeignKey(CancellationPolicy, on_delete=models.CASCADE, related_name="tiers")
    until_minutes_before = models.PositiveIntegerField(
        _("until (minutes before the start)"), validators=[MaxValueValidator(30 * 1440)]
    )
    fee_kind = models.CharField(max_length=10, choices=FeeKind.choices, default=FeeKind.NONE)
    fee_value = MinorUnitsField(
        default=0, help_text=_("Percent: hundredths of a percent (5000 = 50 %). Fixed: minor units.")
    )

    class Meta:
        ordering: ClassVar = ["-until_minutes_before"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["policy", "until_minutes_before"], name="services_cancellationtier_bound_once"
            ),
            models.CheckConstraint(
                condition=~Q(fee_kind=FeeKind.PERCENT) | Q(fee_value__lte=10_000),
                name="services_cancellationtier_percent",
            ),
        ]

    def __str__(self) -> str:
        return f"≥ {self.until_minutes_before} min: {self.get_fee_kind_display()} {self.fee_value}"
