"""What must always be true of bookings and the time they take."""

from core.doctor import Check

CHECKS: list[Check] = []
