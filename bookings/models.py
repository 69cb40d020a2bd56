"""Bookings, their lines and history, and the one table of allocated time."""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Lower
from django.utils.translation import gettext_lazy as _

from accounts.customer_search import folded_columns
from accounts.fields import PhoneEndHashField, PhoneHashField
from bookings.enums import EXPIRING, ActorKind, BookingChannel, BookingStatus, EventKind, WalkInState
from core.fields import EncryptedTextField
from core.row_times import active_moment, active_span
from notifications.enums import Channel
from services.enums import Delivery

# Name and e-mail address as the desk searches them (``accounts.customer_search``), from the trigram index below.
CONTACT_TEXT = folded_columns("contact_name", "contact_email")


class Booking(models.Model):
    """A visit of one or more lines. Price, terms and texts are copies made when the time was held.

    ``terms`` is ``rules.terms.Terms`` as JSON. The contact fields stay as the customer typed them.
    """

    reference = models.CharField(max_length=6, unique=True)
    hold_token_hash = models.CharField(max_length=64, unique=True, null=True, blank=True)
    status = models.CharField(max_length=16, choices=BookingStatus.choices, default=BookingStatus.HELD)
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    is_hold_extended = models.BooleanField(default=False)
    location = models.ForeignKey("services.Location", on_delete=models.PROTECT, related_name="bookings")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_any_staff = models.BooleanField(_("booked with anyone"), default=False)
    party_size = models.PositiveSmallIntegerField(default=1)
    channel = models.CharField(max_length=10, choices=BookingChannel.choices, default=BookingChannel.WEB)
    language = models.CharField(max_length=10, default="en")
    visitor_zone = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("Where the customer's browser was.")
    )

    # No index of its own: the index on customer and start serves.
    customer = models.ForeignKey(
        "accounts.Customer", null=True, blank=True, db_index=False, on_delete=models.PROTECT, related_name="bookings"
    )
    contact_name = models.CharField(max_length=120, blank=True)
    contact_email = models.EmailField(blank=True)
    contact_phone = EncryptedTextField(blank=True)
    phone_hash = PhoneHashField(of="contact_phone")
    phone_end_hash = PhoneEndHashField(of="contact_phone")
    customer_note = EncryptedTextField(blank=True)
    visitor_hash = models.CharField(max_length=64, blank=True)
    address_hash = models.CharField(max_length=64, blank=True)
    delivery = models.CharField(max_length=10, choices=Delivery.choices, default=Delivery.LOCATION)
    visit_address = EncryptedTextField(blank=True)
    meeting_url = models.URLField(blank=True)

    bill = models.ForeignKey("payments.Bill", null=True, blank=True, on_delete=models.PROTECT, related_name="bookings")
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField()
    tax_minor = models.PositiveBigIntegerField(default=0)
    prices_include_tax = models.BooleanField(default=True)
    terms = models.JSONField(default=dict)
    payment_mode = models.CharField(
        max_length=10, blank=True, help_text=_("What was asked for when booking; empty while held.")
    )
    due_now_minor = models.PositiveBigIntegerField(default=0, help_text=_("Has to be paid before the booking stands."))
    is_payment_waived = models.BooleanField(default=False, help_text=_("Staff let it stand without the payment."))

    customer_move_count = models.PositiveSmallIntegerField(default=0)
    fee_anchor_minor = models.PositiveBigIntegerField(default=0)
    cancelled_by = models.CharField(max_length=10, choices=ActorKind.choices, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancellation_fee_minor = models.PositiveBigIntegerField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    missed_at = models.DateTimeField(null=True, blank=True, help_text=_("When staff noted that nobody came."))
    fee_settles_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Until then staff may waive the fee; then money moves by itself.")
    )

    ical_sequence = models.PositiveIntegerField(default=0)
    link_version = models.PositiveIntegerField(default=1)
    staff_link_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)
    anonymised_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("Since then nothing says whose booking it was.")
    )

    class Meta:
        ordering: ClassVar = ["-starts_at"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="bookings_booking_order"),
            models.CheckConstraint(
                condition=~Q(status__in=sorted(EXPIRING)) | Q(hold_expires_at__isnull=False),
                name="bookings_booking_expiry",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["hold_expires_at"], condition=Q(status__in=sorted(EXPIRING)), name="bookings_booking_expiring"
            ),
            models.Index(
                fields=["visitor_hash"], condition=Q(status__in=sorted(EXPIRING)), name="bookings_hold_visitor"
            ),
            models.Index(
                fields=["address_hash"], condition=Q(status__in=sorted(EXPIRING)), name="bookings_hold_address"
            ),
            models.Index(fields=["location", "starts_at"], name="bookings_booking_day"),
            models.Index(fields=["customer", "starts_at"], name="bookings_booking_customer"),
            models.Index(fields=["starts_at", "id"], name="bookings_booking_start"),
            models.Index(
                fields=["starts_at"], condition=Q(status=BookingStatus.CONFIRMED), name="bookings_confirmed_start"
            ),
            models.Index(fields=["contact_email"], name="bookings_booking_email"),
            models.Index(Lower("contact_email"), name="bookings_booking_mailbox"),
            models.Index(fields=["phone_hash"], condition=~Q(phone_hash=""), name="bookings_booking_phone"),
            models.Index(fields=["phone_end_hash"], condition=~Q(phone_end_hash=""), name="bookings_phone_end"),
            GinIndex(OpClass(CONTACT_TEXT, name="gin_trgm_ops"), name="bookings_contact_search"),
            models.Index(
                Lower("contact_email"), condition=Q(status=BookingStatus.NO_SHOW), name="bookings_no_show_email"
            ),
            models.Index(
                fields=["fee_settles_at"],
                condition=Q(fee_settles_at__isnull=False),
                name="bookings_booking_fee_settles",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class UnprovenBooking(models.Model):
    """Pseudonyms by which a website booking is counted until the customer acts from the mailbox or pays.

    They are kept for a bounded time. ``asked_at``: when a mail asked the customer to confirm the hold.
    """

    booking = models.OneToOneField(Booking, on_delete=models.CASCADE, related_name="unproven")
    email_hash = models.CharField(max_length=64, blank=True)
    phone_hash = models.CharField(max_length=64, blank=True)
    visitor_hash = models.CharField(max_length=64, blank=True)
    address_hash = models.CharField(max_length=64, blank=True)
    asked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=[f"{name}_hash"], name=f"bookings_unproven_{name}")
            for name in ("email", "phone", "visitor", "address")
        ]

    def __str__(self) -> str:
        return str(self.booking_id)


class HoldLink(models.Model):
    """The link that staff sent to a customer, who finishes the booking of a held time with it.

    ``address_hash`` is the pseudonym of the mailbox or phone number that it went to. The row is deleted when the
    booking is confirmed or requested. ``ended_at``: the customer let the time run out or gave it back, and staff still
    have to look at it.
    """

    booking = models.OneToOneField(Booking, on_delete=models.CASCADE, related_name="hold_link")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address_hash = models.CharField(max_length=64)
    sent_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    sent_by_name = models.CharField(max_length=120, blank=True)
    sent_at = models.DateTimeField()
    sent_count = models.PositiveSmallIntegerField(default=1)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="bookings_holdlink_ended")
        ]

    def __str__(self) -> str:
        return str(self.booking_id)


class OutsideHours(models.Model):
    """A booking that a change of hours put outside them. It waits until staff move, cancel or keep the booking.

    ``sequence`` is the number of the booking at the change: a booking that was moved since is dealt with. ``kept_at``:
    when staff decided that it stays as it is.
    """

    booking = models.OneToOneField(Booking, primary_key=True, on_delete=models.CASCADE, related_name="outside_hours")
    sequence = models.PositiveIntegerField()
    since = models.DateTimeField()
    kept_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["booking"], condition=Q(kept_at__isnull=True), name="bookings_outside_open")
        ]

    def __str__(self) -> str:
        return f"{self.booking_id} {active_moment(self.since)}"


class BookingLine(models.Model):
    """One service by one staff member (or none, for a court) at one time; the next line follows on.

    ``phases`` is ``[["work", 60], ["processing", 30]]`` in minutes, add-ons included; ``add_ons`` and ``requirements``
    are copies: ``[{"id", "name", "price_minor", "extra_minutes"}]`` and ``[{"resource_type_id", "quantity"}]``.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField(default=0)
    variant = models.ForeignKey("services.ServiceVariant", on_delete=models.PROTECT, related_name="booking_lines")
    staff_member = models.ForeignKey(
        "staff.StaffMember", null=True, blank=True, on_delete=models.PROTECT, related_name="booking_lines"
    )
    service_name = models.CharField(max_length=80)
    variant_name = models.CharField(max_length=80, blank=True)
    preparation = models.TextField(blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    phases = models.JSONField()
    buffer_before_minutes = models.PositiveSmallIntegerField(default=0)
    buffer_after_minutes = models.PositiveSmallIntegerField(default=0)
    requirements = models.JSONField(default=list)
    price_minor = models.PositiveBigIntegerField()
    add_ons = models.JSONField(default=list)
    tax_basis_points = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["booking", "position"], name="bookings_bookingline_position"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="bookings_bookingline_order"),
        ]
        indexes: ClassVar = [models.Index(fields=["staff_member", "starts_at"], name="bookings_line_staff_day")]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.service_name}"


class GroupSession(models.Model):
    """A class: one variant at one time with a number of places. It owns the time of its staff member and room."""

    variant = models.ForeignKey("services.ServiceVariant", on_delete=models.PROTECT, related_name="+")
    location = models.ForeignKey("services.Location", on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    capacity = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"{self.variant_id} {active_moment(self.starts_at)}"


class MoveProposal(models.Model):
    """A move that must be paid or accepted first; it claims the new time minus the old until it expires.

    ``sequence`` is the number of the booking for which it was made. After another move it is void.
    """

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="move_proposals")
    starts_at = models.DateTimeField()
    staff_member = models.ForeignKey(
        "staff.StaffMember", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    fee_minor = models.PositiveBigIntegerField(default=0)
    sequence = models.PositiveIntegerField(default=0)
    payment = models.ForeignKey(
        "payments.Payment", null=True, blank=True, on_delete=models.SET_NULL, related_name="move_proposals"
    )
    channel = models.CharField(max_length=10, choices=BookingChannel.choices, default=BookingChannel.LINK)
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="bookings_moveproposal_expiry")]

    def __str__(self) -> str:
        return f"{self.booking_id} → {active_moment(self.starts_at)}"


def _epoch_minutes(bound: str, rounding: str) -> Cast:
    """Return the bound of a range as whole minutes since the Unix epoch.

    Subtracting a constant keeps the expression immutable.
    """
    return Cast(
        Func(
            F("busy"),
            template=f"{rounding}(extract(epoch from ({bound}(%(expressions)s)"
            " - timestamptz '1970-01-01 00:00:00+00')) / 60)",
        ),
        models.IntegerField(),
    )


class Allocation(models.Model):
    """A claim on a resource's time, buffers included. Releasing deletes the row; the history is in BookingEvent.

    The exclusion constraint proves that no time is taken twice. ``low_minute`` and ``high_minute`` repeat the range as
    whole UTC minutes (rounded outward, generated by the database): plain integers load many times faster.
    """

    resource = models.ForeignKey("services.Resource", on_delete=models.PROTECT, related_name="allocations")
    busy = DateTimeRangeField()
    low_minute = models.GeneratedField(
        expression=_epoch_minutes("lower", "floor"), output_field=models.IntegerField(), db_persist=True
    )
    high_minute = models.GeneratedField(
        expression=_epoch_minutes("upper", "ceil"), output_field=models.IntegerField(), db_persist=True
    )
    booking = models.ForeignKey(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations")
    group_session = models.ForeignKey(
        GroupSession, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations"
    )
    move_proposal = models.ForeignKey(
        MoveProposal, null=True, blank=True, on_delete=models.PROTECT, related_name="allocations"
    )

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="bookings_allocation_no_overlap",
                expressions=[("resource", RangeOperators.EQUAL), ("busy", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                condition=Q(busy__isempty=False, busy__lower_inf=False, busy__upper_inf=False, busy__lower_inc=True),
                name="bookings_allocation_bounded",
            ),
            # Availability looks back this far for claims that reach into the requested days.
            models.CheckConstraint(
                condition=Q(high_minute__lte=F("low_minute") + Value(2880)), name="bookings_allocation_length"
            ),
            models.CheckConstraint(
                condition=Q(booking__isnull=False, group_session__isnull=True, move_proposal__isnull=True)
                | Q(booking__isnull=True, group_session__isnull=False, move_proposal__isnull=True)
                | Q(booking__isnull=True, group_session__isnull=True, move_proposal__isnull=False),
                name="bookings_allocation_one_owner",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["resource", "low_minute"],
                include=["high_minute", "booking", "move_proposal"],
                name="bookings_allocation_minutes",
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_id} {active_span(self.busy.lower, self.busy.upper)}"


class BookingEvent(models.Model):
    """One row of a booking's history. The application never updates or deletes it (database grants enforce this)."""

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=EventKind.choices, default=EventKind.STATUS)
    from_status = models.CharField(max_length=16, choices=BookingStatus.choices, blank=True)
    to_status = models.CharField(max_length=16, choices=BookingStatus.choices)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=120, blank=True)
    channel = models.CharField(max_length=10, choices=BookingChannel.choices)
    # Encrypted, because staff write about customers here.
    reason = EncryptedTextField(blank=True)
    details = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.from_status} → {self.to_status}"


class HelpMessage(models.Model):
    """A message between a customer who is paying and the front desk. ``read_at``: when staff marked it as read."""

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="help_messages")
    is_from_customer = models.BooleanField()
    text = EncryptedTextField()
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                condition=Q(is_from_customer=True, read_at__isnull=True),
                name="bookings_help_unread",
            )
        ]

    def __str__(self) -> str:
        return f"{self.booking_id} {active_moment(self.created_at)}"


class SessionNote(models.Model):
    """The note that the staff member who performed a visit wrote. Staff read it before the customer's next visit.

    ``version`` counts the saved texts, so that an old page cannot overwrite a newer text.
    """

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="session_note")
    text = EncryptedTextField(blank=True)
    version = models.PositiveIntegerField(default=0)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=120, blank=True)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.booking_id}, {active_moment(self.updated_at)}"


class FollowUp(models.Model):
    """A task for staff after a visit: inform the customer, ask, or book. Open until ``done_at``."""

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="follow_ups")
    text = EncryptedTextField()
    due_on = models.DateField(null=True, blank=True)
    author = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = [F("due_on").asc(nulls_last=True), "id"]
        indexes: ClassVar = [
            models.Index(fields=["due_on"], condition=Q(done_at__isnull=True), name="bookings_followup_open")
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}, {active_moment(self.created_at)}"


class WalkIn(models.Model):
    """A person who came without a booking and waits at a location, or waited there.

    ``customer`` is the known customer whom staff chose; others get their record when they are booked. ``staff_member``
    is the one whom the person asks for. Name and contact are deleted a day after ``joined_at``.
    """

    location = models.ForeignKey("services.Location", on_delete=models.PROTECT, related_name="walk_ins")
    variant = models.ForeignKey("services.ServiceVariant", on_delete=models.PROTECT, related_name="+")
    staff_member = models.ForeignKey(
        "staff.StaffMember", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    customer = models.ForeignKey(
        "accounts.Customer", null=True, blank=True, on_delete=models.PROTECT, related_name="walk_ins"
    )
    name = EncryptedTextField(blank=True)
    phone = EncryptedTextField(blank=True)
    email = EncryptedTextField(blank=True)
    state = models.CharField(max_length=10, choices=WalkInState.choices, default=WalkInState.WAITING)
    joined_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    booking = models.OneToOneField(Booking, null=True, blank=True, on_delete=models.PROTECT, related_name="walk_in")
    added_by = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    added_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state=WalkInState.SEATED, booking__isnull=False)
                | (~Q(state=WalkInState.SEATED) & Q(booking__isnull=True)),
                name="bookings_walkin_seated",
            ),
            models.CheckConstraint(
                condition=Q(state=WalkInState.WAITING, ended_at__isnull=True)
                | (~Q(state=WalkInState.WAITING) & Q(ended_at__isnull=False)),
                name="bookings_walkin_ended",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["location", "joined_at"], name="bookings_walkin_day")]

    def __str__(self) -> str:
        return f"{self.pk} {active_moment(self.joined_at)}"
