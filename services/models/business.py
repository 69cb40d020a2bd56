"""The business, its locations, their opening hours, and the settings history."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.texts import TranslatedTexts
from services.enums import Weekday
from services.models.policies import BookingPolicy, CancellationPolicy
from services.validators import validate_currency, validate_time_zone

MINUTES_OF_TWO_DAYS = 2880


class Business(TranslatedTexts):
    """The business: a single row. Its currency and language are the defaults everywhere."""

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
    hold_link_minutes = models.PositiveSmallIntegerField(
        _("minutes that a sent booking link keeps the time"),
        default=120,
        db_default=120,
        validators=[MinValueValidator(15), MaxValueValidator(1440)],
        help_text=_(
            "When the desk sends a customer a link to finish a booking. At the latest it ends half an hour before the"
            " visit."
        ),
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
    """A place of the business, with its own time zone."""

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
    """Mix-in: an interval in minutes from local midnight, end excluded. Values past 1440 are on the next day."""

    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True

    def clean(self) -> None:
        start, end = self.start_minute, self.end_minute
        if start is not None and end is not None and not (start < end <= MINUTES_OF_TWO_DAYS and start < 1440):
            raise ValidationError({"end_minute": _("The end must come after the start, and within the next day.")})


class OpeningHours(DayMinutes):
    """Weekly opening interval of a location. A location may have several a day."""

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
    """A date on which a location is closed or has other hours. Its rows replace the weekly hours of that date."""

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


class SettingsChange(models.Model):
    """A change of a setting on which bookings ahead depend, such as a time zone. Database grants forbid updates.

    ``subject_type`` is the model's label (``services.location``). ``details`` holds what the user chose for the
    bookings.
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
