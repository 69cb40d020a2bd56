"""What is sold, where, by which rules, and with which resources."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import MinorUnitsField
from core.texts import TranslatedTexts
from services.enums import (
    Delivery,
    DepositKind,
    DepositRule,
    FeeKind,
    OverLimit,
    PaymentMode,
    ResourceKind,
    Weekday,
)
from services.validators import validate_currency, validate_time_zone

MINUTES_OF_TWO_DAYS = 2880


class BookingPolicy(models.Model):
    """Rules when booking: lead time, horizon, grid of starts, hold. Durations are minutes, the horizon is days."""

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
    """Rules of money: what is asked when booking, what cancelling, moving and not coming cost.

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
    """One step of a cancellation policy: until this many minutes before the start, this fee applies."""

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


class Business(TranslatedTexts):
    """The firm: one row. Its currency and its own language are the defaults of everything."""

    name = models.CharField(max_length=80)
    tagline = models.CharField(max_length=200, blank=True)
    staff_word = models.CharField(max_length=40, default="Therapist", help_text=_("What customers call your staff."))
    language = models.CharField(max_length=10, default="en")
    currency = models.CharField(max_length=3, default="EUR", validators=[validate_currency])
    prices_include_tax = models.BooleanField(default=True)
    brand_colour = models.CharField(max_length=7, default="#0f766e", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")])
    phone = models.CharField(max_length=20, blank=True)
    email = models.EmailField(blank=True)
    review_url = models.URLField(
        _("where you collect reviews"), blank=True, help_text=_("Customers are asked for a review only with it.")
    )
    is_booking_paused = models.BooleanField(default=False)
    paused_message = models.CharField(max_length=300, blank=True)
    daily_limit = models.PositiveSmallIntegerField(_("bookings a day at most"), null=True, blank=True)
    booking_policy = models.ForeignKey(BookingPolicy, on_delete=models.PROTECT, related_name="+")
    cancellation_policy = models.ForeignKey(
        CancellationPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    prepay_after_no_shows = models.PositiveSmallIntegerField(
        _("ask for full payment after not coming so often"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: never."),
    )
    prepay_window_days = models.PositiveSmallIntegerField(
        _("… within (days)"), default=365, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    trusted_after_visits = models.PositiveSmallIntegerField(
        _("ask for no deposit or card after so many visits"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: always ask."),
    )
    refunds_need_approval = models.BooleanField(
        _("refunds of customers' cancellations wait for approval"),
        default=False,
        help_text=_("You approve, lower or decline each within 48 hours. What you owe for other reasons never waits."),
    )
    tax_number = models.CharField(max_length=40, blank=True, help_text=_("Printed on receipts."))
    legal_address = models.CharField(
        _("name and address on receipts"),
        max_length=300,
        blank=True,
        help_text=_("Empty: the business's name and the location's address."),
    )

    class Meta:
        verbose_name_plural = _("business")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="services_business_single")]

    def __str__(self) -> str:
        return self.name


class Location(TranslatedTexts):
    """A place with its own time zone."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    address = models.CharField(max_length=200, blank=True)
    arrival_hint = models.CharField(max_length=200, blank=True, help_text=_("E.g. Ring “Linden”, first floor."))
    directions_url = models.URLField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin", validators=[validate_time_zone])
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class DayMinutes(models.Model):
    """Mix-in: an interval in minutes from local midnight, end excluded; past 1440 it goes on after midnight."""

    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True

    def clean(self) -> None:
        start, end = self.start_minute, self.end_minute
        if start is not None and end is not None and not (start < end <= MINUTES_OF_TWO_DAYS and start < 1440):
            raise ValidationError({"end_minute": _("The end must come after the start, and within the next day.")})


class OpeningHours(DayMinutes):
    """Weekly opening interval of a location; several a day are allowed."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)

    class Meta:
        verbose_name_plural = _("opening hours")
        ordering: ClassVar = ["weekday", "start_minute"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(end_minute__gt=F("start_minute"), start_minute__lt=1440, end_minute__lte=2880),
                name="services_openinghours_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.start_minute}–{self.end_minute}"


class Closure(models.Model):
    """A day on which a location is shut or has other hours; its rows replace the weekly hours of that date."""

    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="closures")
    on = models.DateField()
    start_minute = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Empty: shut all day."))
    end_minute = models.PositiveSmallIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["on", "start_minute"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(start_minute__isnull=True, end_minute__isnull=True)
                | Q(end_minute__gt=F("start_minute"), start_minute__lt=1440, end_minute__lte=2880),
                name="services_closure_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.location} {self.on}"


class ResourceType(TranslatedTexts):
    """A kind of thing that services need: treatment room, laser."""

    name = models.CharField(max_length=80)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Resource(models.Model):
    """One physical thing whose time can be taken: a person, a room, a device. People have no type and no location."""

    kind = models.CharField(max_length=10, choices=ResourceKind.choices)
    name = models.CharField(max_length=80)
    resource_type = models.ForeignKey(
        ResourceType, null=True, blank=True, on_delete=models.PROTECT, related_name="resources"
    )
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.PROTECT, related_name="resources")
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind=ResourceKind.PERSON, resource_type__isnull=True, location__isnull=True)
                | Q(
                    kind__in=[ResourceKind.ROOM, ResourceKind.EQUIPMENT],
                    resource_type__isnull=False,
                    location__isnull=False,
                ),
                name="services_resource_kind",
            )
        ]

    def __str__(self) -> str:
        return self.name


class Category(TranslatedTexts):
    """A heading under which services are shown."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    cancellation_policy = models.ForeignKey(
        CancellationPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name_plural = _("categories")
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class Service(TranslatedTexts):
    """What is sold. Its own policies win over the category's and the business's."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("public")
        HIDDEN = "hidden", _("hidden (nobody can book it online)")
        ARCHIVED = "archived", _("archived")

    category = models.ForeignKey(Category, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=80)
    slug = models.SlugField(unique=True)
    summary = models.CharField(max_length=160, blank=True)
    description = models.TextField(blank=True, max_length=4000)
    preparation = models.TextField(blank=True, max_length=2000, help_text=_("What to bring or do before the visit."))
    picture = models.ImageField(upload_to="services/", blank=True)
    icon = models.CharField(max_length=30, blank=True, help_text=_("Drawing shown where there is no picture."))
    position = models.PositiveSmallIntegerField(default=0)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC)
    delivery = models.CharField(max_length=10, choices=Delivery.choices, default=Delivery.LOCATION)
    needs_staff = models.BooleanField(default=True, help_text=_("Off for a court or a room that is booked by itself."))
    locations = models.ManyToManyField(Location, related_name="services", blank=True)
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(240)])
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(240)])
    max_party_size = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    daily_limit = models.PositiveSmallIntegerField(_("bookings a day at most"), null=True, blank=True)
    tax_basis_points = models.PositiveSmallIntegerField(_("tax (hundredths of a percent)"), default=0)
    booking_policy = models.ForeignKey(BookingPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    cancellation_policy = models.ForeignKey(
        CancellationPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    payment_mode = models.CharField(
        _("when booking"),
        max_length=10,
        choices=PaymentMode.choices,
        blank=True,
        help_text=_("Empty: as the cancellation policy says."),
    )
    deposit_kind = models.CharField(_("own deposit"), max_length=10, choices=DepositKind.choices, blank=True)
    deposit_value = MinorUnitsField(
        _("deposit"),
        null=True,
        blank=True,
        help_text=_("Percent: hundredths of a percent (2000 = 20 %). Fixed: minor units."),
    )
    needs_answer = models.BooleanField(
        _("requests are answered one by one"),
        default=False,
        help_text=_("The time is held until you accept or decline."),
    )

    class Meta:
        ordering: ClassVar = ["position", "name"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(deposit_kind="", deposit_value__isnull=True)
                | Q(
                    deposit_kind=DepositKind.PERCENT,
                    deposit_value__isnull=False,
                    deposit_value__gt=0,
                    deposit_value__lte=10_000,
                )
                | Q(deposit_kind=DepositKind.FIXED, deposit_value__isnull=False, deposit_value__gt=0),
                name="services_service_deposit",
                violation_error_message=_("An own deposit needs its kind and an amount, at most 100 percent."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ServiceVariant(TranslatedTexts):
    """A length and price of a service.

    The customer's time is work, then processing (the person is free, the room is not), then finishing work.
    """

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(max_length=80, blank=True, help_text=_("Empty: the length is the name."))
    work_minutes = models.PositiveSmallIntegerField(validators=[MinValueValidator(5), MaxValueValidator(720)])
    processing_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(480)])
    finish_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(480)])
    price_minor = MinorUnitsField()
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["position", "work_minutes"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(work_minutes__gte=1), name="services_servicevariant_work")
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.name or self.duration_minutes}"

    @property
    def duration_minutes(self) -> int:
        return self.work_minutes + self.processing_minutes + self.finish_minutes


class AddOn(TranslatedTexts):
    """An extra that adds money and minutes (worked at the end of the first phase)."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="add_ons")
    name = models.CharField(max_length=80)
    price_minor = MinorUnitsField(default=0)
    extra_minutes = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(240)])
    is_paid_at_visit = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class ResourceRequirement(models.Model):
    """How many resources of a type a service needs beside its staff member."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="requirements")
    resource_type = models.ForeignKey(ResourceType, on_delete=models.PROTECT, related_name="requirements")
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "resource_type"], name="services_resourcerequirement_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.resource_type}"


class SettingsChange(models.Model):
    """A change of a setting on which bookings ahead depend, such as a zone. Never updated (database grants see to it).

    ``subject_type`` is the model's label (``services.location``); ``details`` says what was chosen for the bookings.
    """

    subject_type = models.CharField(max_length=60)
    subject_id = models.BigIntegerField()
    subject_name = models.CharField(max_length=160)
    field = models.CharField(max_length=60)
    old = models.CharField(max_length=200, blank=True)
    new = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="services_settingschange_of"),
        ]

    def __str__(self) -> str:
        return f"{self.subject_name}, {self.field}: {self.old} → {self.new}"
