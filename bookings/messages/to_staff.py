"""The messages that go to staff members, one entry for each kind."""

from django.utils.translation import gettext_lazy as _

from bookings.messages import occasions, sample_contexts, variables
from bookings.messages.kinds import MessageKind
from bookings.messages.types import MessageType, Timing
from notifications.enums import RecipientRole

TO_STAFF: tuple[MessageType, ...] = (
    MessageType(
        kind=MessageKind.CONFIRMED,
        role=RecipientRole.STAFF,
        label=_("New booking"),
        told_when=_("When a booking of theirs is agreed"),
        subject=_("New booking: {{ when }}, {{ customer }}"),
        opening=_("you have a new booking."),
        context=occasions.visit,
        sample=occasions.visit,
        variables=variables.to_staff(*variables.STAFF_AHEAD),
    ),
    MessageType(
        kind=MessageKind.MOVED,
        role=RecipientRole.STAFF,
        label=_("Moved"),
        told_when=_("When a booking of theirs changes its time"),
        subject=_("Moved: {{ when }}, {{ customer }}"),
        opening=_("a booking of yours has a new time."),
        context=occasions.visit,
        sample=sample_contexts.moved,
        variables=variables.to_staff(*variables.STAFF_AHEAD, *variables.BEFORE),
    ),
    MessageType(
        kind=MessageKind.REASSIGNED,
        role=RecipientRole.STAFF,
        label=_("Booking taken over"),
        told_when=_("When they take over a booking"),
        subject=_("Now with you: {{ when }}, {{ customer }}"),
        opening=_("this booking was given to you."),
        context=occasions.visit,
        sample=occasions.visit,
        variables=variables.to_staff(*variables.STAFF_AHEAD),
    ),
    MessageType(
        kind=MessageKind.RELEASED,
        role=RecipientRole.STAFF,
        label=_("Booking handed over"),
        told_when=_("When another staff member takes over"),
        subject=_("No longer yours: {{ when }}, {{ customer }}"),
        opening=_("this booking is no longer yours."),
        link="",
        context=occasions.visit,
        sample=occasions.visit,
        variables=variables.to_staff(),
    ),
    MessageType(
        kind=MessageKind.CANCELLED,
        role=RecipientRole.STAFF,
        label=_("Cancelled"),
        told_when=_("When a booking of theirs is cancelled"),
        subject=_("Cancelled: {{ when }}, {{ customer }}"),
        opening=_("this booking is cancelled. Your time is free again."),
        link="",
        context=occasions.visit,
        sample=occasions.visit,
        variables=variables.to_staff(),
    ),
    MessageType(
        kind=MessageKind.REQUESTED,
        role=RecipientRole.STAFF,
        label=_("Request"),
        told_when=_("When a customer asks for a time of theirs"),
        subject=_("Request: {{ when }}, {{ customer }}"),
        opening=_("a customer asks for a time with you."),
        outlives_visit=True,
        context=occasions.requested_of_staff,
        sample=sample_contexts.money,
        variables=variables.to_staff(variables.MANAGE, variables.KEPT),
    ),
    MessageType(
        kind=MessageKind.AGENDA,
        role=RecipientRole.STAFF,
        label=_("The day"),
        told_when=_("In the morning of each day with visits"),
        subject=_("Your day: {{ day }}, {{ count }}"),
        opening=_("this is your day."),
        link="",
        timing=Timing.MORNING,
        context=occasions.agenda,
        sample=occasions.agenda,
        variables=variables.OF_AGENDA,
    ),
)
