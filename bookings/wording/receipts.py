"""The description of a booking on a receipt: who sold what, when and where, to whom."""

from django.utils.translation import gettext, override

from bookings import booked
from bookings.models import Booking
from bookings.refs import number_of
from core.formats import full_day_text, span_text
from core.references import spoken
from payments.operations.receipts import ReceiptSubject
from services.models import Business
from services.queries import the_business


def receipt_subject(subject_ref: str) -> ReceiptSubject | None:
    """Return the description in the language of the booking; None when there is no such booking. Runs four queries."""
    booking = (
        Booking.objects.select_related("location")
        .prefetch_related("lines__staff_member")
        .filter(pk=number_of(subject_ref))
        .first()
    )
    if booking is None:
        return None
    business = the_business()
    with override(booking.language):
        return ReceiptSubject(
            issuer=_issuer(business, booking),
            customer_name=booking.contact_name,
            lines=_lines(booking),
            language=booking.language,
            zone=booking.location.time_zone,
            brand_colour=business.brand_colour,
        )


def _issuer(business: Business, booking: Booking) -> tuple[str, ...]:
    tax_number = gettext("Tax number %(number)s") % {"number": business.tax_number} if business.tax_number else ""
    address = business.legal_address or booking.location.address
    lines = (business.text("name"), address, business.phone or booking.location.phone, business.email, tax_number)
    return tuple(line for line in lines if line)


def _lines(booking: Booking) -> tuple[str, ...]:
    starts_at, ends_at = (booked.local(moment, booking) for moment in (booking.starts_at, booking.ends_at))
    people = dict.fromkeys(line.staff_member.short_name for line in booking.lines.all() if line.staff_member)
    when = gettext("%(day)s, %(span)s") % {
        "day": full_day_text(starts_at.date()),
        "span": span_text(starts_at, ends_at),
    }
    if people:
        when = gettext("%(when)s with %(people)s") % {"when": when, "people": ", ".join(people)}
    names = dict.fromkeys(line.service_name for line in booking.lines.all())
    reference = gettext("Reference %(reference)s") % {"reference": spoken(booking.reference)}
    return (", ".join(names), when, reference)
