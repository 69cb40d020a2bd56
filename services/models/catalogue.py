"""The catalogue: services with their lengths, prices, extras and required resources."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import MinorUnitsField
from core.texts import TranslatedTexts
from services.enums import Delivery, DepositKind, PaymentMode
from services.models.business import Location
from services.models.policies import BookingPolicy, CancellationPolicy
from services.models.resources import ResourceType


class Category(TranslatedTexts):
    """A heading under which services are listed."""

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
    """A service that customers book. Its own policies override those of its category and of the business."""

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

    A visit has three phases: work, processing (the staff member is free, the room is not), and finishing work.
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
    """An extra that adds money and minutes. Its minutes are worked at the end of the first phase."""

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
    """How many resources of a type a service needs in addition to its staff member."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="requirements")
    resource_type = models.ForeignKey(ResourceType, on_delete=models.PROTECT, related_name="requirements")
    quantity = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["service", "resource_type"], name="services_resourcerequirement_once")
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.resource_type}"
