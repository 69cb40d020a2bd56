"""A booking that prevents a change, as lower apps see it: a line of text and an address, no model of ``bookings``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commitment:
    booking_id: int
    text: str
    url: str
