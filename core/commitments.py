"""How a lower app is told of bookings that stand in the way of a change. It knows a line of text and an address, no
booking.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commitment:
    booking_id: int
    text: str
    url: str
