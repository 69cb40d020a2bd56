"""The steps that the admin offers for a booking."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from bookings.lifecycle import Actor
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.links import renew_links, resend_confirmation
from core import clock


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=300,
        required=False,
        help_text=_("For the history. The customer does not see it."),
        widget=UnfoldAdminTextInputWidget(),
    )


@dataclass(frozen=True)
class Step:
    """One operation on a booking: the texts of its page, and the function that its button calls."""

    title: str | Promise
    explanation: str | Promise
    button: str | Promise
    done: str | Promise
    # Called with the booking, the actor, the reason, and the number of the booking that the page had shown.
    run: Callable[[Booking, Actor, str, int], object]
    asks_reason: bool = True


STEPS = {
    "cancel": Step(
        _("Cancel this booking?"),
        _(
            "The business calls it off: the time is free at once, the customer owes nothing, and everything that was "
            "paid goes back. Online payments go back by themselves, money taken at the desk by your hands: it is then "
            "listed under “To do”. Everyone involved gets an e-mail. For a customer who cancels, use the desk."
        ),
        _("Cancel the booking"),
        _("The booking is cancelled, and everyone involved gets an e-mail."),
        lambda booking, actor, reason, sequence: cancel_booking(
            booking_id=booking.pk,
            expected_sequence=sequence,
            expected_fee_minor=0,
            actor=actor,
            reason=reason,
            now=clock.now(),
        ),
    ),
    "resend": Step(
        _("Send the confirmation again?"),
        _("The customer gets the appointment as it stands now, with the calendar entry and the link to manage it."),
        _("Send it again"),
        _("The confirmation goes out again."),
        lambda booking, actor, reason, sequence: resend_confirmation(
            booking_id=booking.pk, actor=actor, now=clock.now()
        ),
        asks_reason=False,
    ),
    "renew": Step(
        _("Renew the links of this booking?"),
        _(
            "All links sent so far stop working, of the customer and of staff. Both get an e-mail with a new one. "
            "Use it when an e-mail reached the wrong person."
        ),
        _("Renew the links"),
        _("The old links no longer work. New ones are on their way."),
        lambda booking, actor, reason, sequence: renew_links(
            booking_id=booking.pk, actor=actor, reason=reason, now=clock.now()
        ),
    ),
}
