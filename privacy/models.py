"""How long data is kept, requests of customers about their data, erased customers, and alerts about reading."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.fields import EncryptedTextField
from core.references import new_reference
from privacy.enums import UNFINISHED, CaseKind, CaseState, CaseStep, UnusualReading

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

LONGEST_MONTHS = 240
LONGEST_YEARS = 30


def new_case_reference() -> str:
    return new_reference(8)


def _months(label: "StrPromise") -> "models.PositiveSmallIntegerField[int | None, int | None]":
    return models.PositiveSmallIntegerField(
        label, null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_MONTHS)]
    )


class Retention(models.Model):
    """After how many months each class of data is deleted: a single row. Empty means that it is kept.

    Months count from the end of the visit; of customers without bookings from when they were added; of logs and
    messages from when they were written. ``receipt_name_years``: how long an anonymised booking's receipts keep the
    customer's name.
    """

    bookings_months = _months(_("bookings"))
    contact_months = _months(_("customers without bookings"))
    notes_months = _months(_("notes about visits"))
    answers_months = _months(_("what customers wrote when booking"))
    messages_months = _months(_("messages"))
    logs_months = _months(_("histories and logs"))
    receipt_name_years = models.PositiveSmallIntegerField(
        _("names on receipts, in years"), default=0, validators=[MaxValueValidator(LONGEST_YEARS)]
    )
    updated_at = models.DateTimeField(null=True, blank=True)
    updated_by = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name_plural = _("retention")
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="privacy_retention_single")]

    def __str__(self) -> str:
        return "Retention"


class PrivacyCase(models.Model):
    """A customer's request for access to their data or for erasure, until it is answered.

    ``due_on`` is the last day for the answer. ``note`` says how the request came and how the person was recognised,
    ``decision`` why it was declined; both are emptied when the customer is erased.
    """

    reference = models.CharField(max_length=8, unique=True, editable=False, default=new_case_reference)
    kind = models.CharField(max_length=10, choices=CaseKind.choices)
    customer = models.ForeignKey("accounts.Customer", on_delete=models.PROTECT, related_name="privacy_cases")
    state = models.CharField(max_length=10, choices=CaseState.choices, default=CaseState.OPEN)
    note = EncryptedTextField(blank=True)
    decision = EncryptedTextField(blank=True)
    opened_at = models.DateTimeField()
    due_on = models.DateField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["due_on", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer", "kind"],
                condition=Q(state__in=sorted(UNFINISHED)),
                name="privacy_case_one_of_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(UNFINISHED), closed_at=None)
                | (~Q(state__in=sorted(UNFINISHED)) & Q(closed_at__isnull=False)),
                name="privacy_case_closed_dated",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_on"], condition=Q(state__in=sorted(UNFINISHED)), name="privacy_case_due")
        ]

    def __str__(self) -> str:
        return self.reference


class CaseEvent(models.Model):
    """One step of a case: who did it and when. ``hindrances`` are codes of ``Hindrance``."""

    case = models.ForeignKey(PrivacyCase, on_delete=models.PROTECT, related_name="events")
    step = models.CharField(max_length=10, choices=CaseStep.choices)
    hindrances = models.JSONField(default=list, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.step}"


class ErasedCustomer(models.Model):
    """That a customer is to be erased, by the random reference of the record and nothing else.

    It outlives a restored backup, together with the list in ``erasure_list``: the nightly job erases again. ``done_at``
    is when it was last erased.
    """

    customer_reference = models.CharField(max_length=12, unique=True)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.customer_reference


MOST_READINGS = 10_000
_DAY_MINUTES = 24 * 60


def _limit(label: "StrPromise", usual: int) -> "models.PositiveSmallIntegerField[int | None, int | None]":
    return models.PositiveSmallIntegerField(
        label, null=True, blank=True, default=usual, validators=[MaxValueValidator(MOST_READINGS)]
    )


def _minute(label: "StrPromise", usual: int) -> "models.PositiveSmallIntegerField[int, int]":
    return models.PositiveSmallIntegerField(label, default=usual, validators=[MaxValueValidator(_DAY_MINUTES - 1)])


class ReadingLimits(models.Model):
    """How many records a user may open before the owners are alerted: a single row. Empty means no alert.

    The night is given by minutes of the local day; it may begin before midnight and end after it.
    """

    per_hour = _limit(_("records within an hour"), 60)
    at_night = _limit(_("records in a night"), 10)
    refused_per_day = _limit(_("refused records in a day"), 5)
    night_begins = _minute(_("the night begins at"), 21 * 60)
    night_ends = _minute(_("the night ends at"), 6 * 60)
    updated_at = models.DateTimeField(null=True, blank=True)
    updated_by = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name_plural = _("limits of reading")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="privacy_readinglimits_single"),
            models.CheckConstraint(
                condition=Q(night_begins__lt=_DAY_MINUTES, night_ends__lt=_DAY_MINUTES),
                name="privacy_readinglimits_of_a_day",
            ),
        ]

    def __str__(self) -> str:
        return "Limits of reading"


class ReadingAlert(models.Model):
    """That a user read more than is usual: one row for each user, rule and day. ``count`` grows while it is open."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    user_name = models.CharField(max_length=254)
    rule = models.CharField(max_length=10, choices=UnusualReading.choices)
    on = models.DateField()
    count = models.PositiveIntegerField()
    found_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering: ClassVar = ["-found_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "rule", "on"], name="privacy_readingalert_once_a_day")
        ]
        indexes: ClassVar = [
            models.Index(fields=["found_at"], condition=Q(settled_at=None), name="privacy_readingalert_open"),
            models.Index(fields=["on"], name="privacy_readingalert_on"),
        ]

    def __str__(self) -> str:
        return f"{self.user_name} {self.on}: {self.rule}"
