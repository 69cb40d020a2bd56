"""References by which other apps store a booking, such as ``booking:17``."""

from django.db.models import BigIntegerField, Case, CharField, Value, When
from django.db.models.functions import Cast, Concat, Substr

from bookings.models import Booking

_PREFIX = "booking:"


def subject_ref(booking: Booking) -> str:
    """Return the reference of a booking for apps that do not know bookings: ``booking:17``."""
    return booking_ref(booking.pk)


def booking_ref(booking_id: int) -> str:
    """Return the reference of a booking's id."""
    return f"{_PREFIX}{booking_id}"


def booking_id_of(ref: str) -> int | None:
    """Return the id of the booking that a reference names; None when it names something else."""
    number = ref.removeprefix(_PREFIX)
    return int(number) if number != ref and number.isascii() and number.isdigit() else None


def number_of(ref: str) -> int:
    """Return the number in a reference to anything: 4 of ``staff:4``."""
    return int(ref.partition(":")[2])


def ref_column() -> Concat:
    """Return the reference of each row of a query of bookings."""
    return Concat(Value(_PREFIX), Cast("pk", CharField()), output_field=CharField())


def booking_id_column(ref: str) -> Case:
    """Return the id of the booking that the column ``ref`` names, NULL where it names something else.

    PostgreSQL may cast before it filters, so the form is tested first.
    """
    number = Cast(Substr(ref, len(_PREFIX) + 1), BigIntegerField())
    is_booking = When(**{f"{ref}__regex": rf"^{_PREFIX}[0-9]{{1,18}}$"}, then=number)
    return Case(is_booking, default=Value(None), output_field=BigIntegerField())
