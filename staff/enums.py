"""Enums of roles and absences."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    OWNER = "owner", _("owner")
    MANAGER = "manager", _("manager")
    FRONT_DESK = "front_desk", _("front desk")
    THERAPIST = "therapist", _("therapist")
    AUDITOR = "auditor", _("auditor (reads only)")


class TimeOffStatus(TextChoices):
    REQUESTED = "requested", _("requested")
    APPROVED = "approved", _("approved")
    DECLINED = "declined", _("declined")
