"""Staff members, their access roles, the services they perform, their working hours and absences."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import DateTimeRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from core.fields import MinorUnitsField
from core.row_times import active_span
from core.texts import TranslatedTexts
from services.enums import Weekday
from services.models import DayMinutes, Location, Resource, ServiceVariant
from staff.enums import Role, TimeOffStatus


class StaffMember(TranslatedTexts):
    """A person who performs services. Their time is the time of their resource."""

    resource = models.OneToOneField(Resource, on_delete=models.PROTECT, related_name="staff_member")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="staff_member"
    )
    name = models.CharField(max_length=80)
    short_name = models.CharField(max_length=40, help_text=_("First name, as customers see it."))
    slug = models.SlugField(unique=True)
    email = models.EmailField()
    language = models.CharField(max_length=10, default="en")
    bio = models.TextField(blank=True, max_length=1000)
    spoken_languages = models.CharField(
        _("languages spoken"),
        max_length=120,
        blank=True,
        help_text=_("As customers read it: German, English, Portuguese."),
    )
    picture = models.ImageField(upload_to="staff/", blank=True)
    meeting_url = models.URLField(blank=True, help_text=_("Link for visits held online."))
    daily_limit = models.PositiveSmallIntegerField(_("bookings a day at most"), null=True, blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def works_here(self) -> bool:
        """Whether the staff member acts for the business and gets messages about bookings.

        They do while they are on the team and their user, if any, is active. Every link and every message of a staff
        member checks this. Load ``user`` with the staff member.
        """
        return self.is_active and (self.user is None or self.user.is_active)


class Access(models.Model):
    """A role of a user at one location, or everywhere if ``location`` is empty."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="accesses")
    role = models.CharField(max_length=12, choices=Role.choices)
    location = models.ForeignKey(Location, null=True, blank=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        verbose_name_plural = _("accesses")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "role", "location"], nulls_distinct=False, name="staff_access_once")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"


class Invitation(models.Model):
    """An offer to work here, sent by e-mail. The link in it makes its reader a user with these roles.

    ``grants`` lists the roles as [role, location id or null], null for every location. The link is recomputed from
    ``nonce`` for the mail, so that the database holds nothing that opens it. It works until ``expires_at``, once, and
    not after it was withdrawn. ``inviter`` is empty for an owner who was made on the command line.
    """

    email = models.EmailField()
    name = models.CharField(max_length=120, blank=True)
    grants = models.JSONField(default=list)
    opens_admin = models.BooleanField(default=False)
    staff_member = models.ForeignKey(
        StaffMember, null=True, blank=True, on_delete=models.SET_NULL, related_name="invitations"
    )
    nonce = models.CharField(max_length=43)
    inviter = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    inviter_name = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return self.email


class TeamEvent(models.Model):
    """A change of who may do what: who did it, when, and the roles afterwards. Rows are never changed.

    ``grants`` as in Invitation. ``user_name`` is the name, or the address of a person who is no user yet.
    """

    class Kind(models.TextChoices):
        INVITED = "invited", _("Invited")
        WITHDRAWN = "withdrawn", _("Invitation withdrawn")
        ACCEPTED = "accepted", _("Invitation accepted")
        ROLES = "roles", _("Roles changed")
        RESET = "reset", _("Second step reset")
        LEFT = "left", _("Sign-in switched off")
        RETURNED = "returned", _("Sign-in switched on again")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="team_events"
    )
    user_name = models.CharField(max_length=254)
    grants = models.JSONField(default=list)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_name = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.kind}"


class Qualification(models.Model):
    """A staff member may perform this variant, perhaps at their own price or length (of the first work phase)."""

    staff_member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="qualifications")
    variant = models.ForeignKey(ServiceVariant, on_delete=models.CASCADE, related_name="qualifications")
    price_minor = MinorUnitsField(null=True, blank=True)
    work_minutes = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["staff_member", "variant"], name="staff_qualification_once")
        ]

    def __str__(self) -> str:
        return f"{self.staff_member}: {self.variant}"


class WorkingHours(DayMinutes):
    """Weekly working interval of a staff member at a location. The gaps between intervals are breaks.

    With ``cycle_weeks`` = 2 it applies in every second week: when the week number, counted from Monday 5 January 1970,
    modulo 2 is ``cycle_week``.
    """

    staff_member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="working_hours")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="working_hours")
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices)
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True, help_text=_("Last day, included."))
    cycle_weeks = models.PositiveSmallIntegerField(
        default=1, choices=[(1, _("every week")), (2, _("every other week"))]
    )
    cycle_week = models.PositiveSmallIntegerField(default=0, choices=[(0, _("first week")), (1, _("second week"))])

    class Meta:
        verbose_name_plural = _("working hours")
        ordering: ClassVar = ["weekday", "start_minute"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(end_minute__gt=F("start_minute"), start_minute__lt=1440, end_minute__lte=2880),
                name="staff_workinghours_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff_member} {self.get_weekday_display()} {self.start_minute}–{self.end_minute}"


class WorkingHoursException(models.Model):
    """Hours of a single date. The rows of a date replace all weekly hours of the staff member on that date."""

    staff_member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="exceptions")
    location = models.ForeignKey(Location, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    start_minute = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Empty: not working that day."))
    end_minute = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["on", "start_minute"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(start_minute__isnull=True, end_minute__isnull=True)
                | Q(end_minute__gt=F("start_minute"), start_minute__lt=1440, end_minute__lte=2880),
                name="staff_workinghoursexception_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.staff_member} {self.on}"


class TimeOff(models.Model):
    """Absence of a staff member, or time in which a room or device is out of use. May overlap existing bookings."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="time_off")
    during = DateTimeRangeField()
    status = models.CharField(max_length=10, choices=TimeOffStatus.choices, default=TimeOffStatus.APPROVED)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = _("time off")
        indexes: ClassVar = [
            models.Index(fields=["resource"], name="staff_timeoff_resource_idx"),
            models.Index(
                fields=["resource"], condition=Q(status=TimeOffStatus.REQUESTED), name="staff_timeoff_requested"
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(during__isempty=False, during__lower_inf=False, during__upper_inf=False),
                name="staff_timeoff_bounded",
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource}, {active_span(self.during.lower, self.during.upper)}"
