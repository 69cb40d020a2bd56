"""How a message's status follows provider reports. Pure. Reports may come twice, late and in any order.

A status never goes back: delivered stays delivered, failed stays failed. The exception is e-mail, which may fail after
it was delivered: a server accepted the mail and returned it later.
"""

from collections.abc import Mapping
from enum import StrEnum

from notifications.enums import NotificationStatus

Status = NotificationStatus


class Report(StrEnum):
    """What a provider reports about a message."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


_TWILIO = {
    "accepted": Report.ACCEPTED,
    "scheduled": Report.ACCEPTED,
    "queued": Report.ACCEPTED,
    "sending": Report.ACCEPTED,
    "sent": Report.SENT,
    "delivered": Report.DELIVERED,
    "read": Report.DELIVERED,
    "undelivered": Report.FAILED,
    "failed": Report.FAILED,
    "canceled": Report.FAILED,
}
_MAIL = {
    "delivered": Report.DELIVERED,
    "bounced": Report.FAILED,
    "rejected": Report.FAILED,
    "failed": Report.FAILED,
}

# The answer to our own request may be lost, so a report can be the first sign that a message was accepted.
_OPEN = {
    Report.ACCEPTED: Status.SENT,
    Report.SENT: Status.SENT,
    Report.DELIVERED: Status.DELIVERED,
    Report.FAILED: Status.PERMANENT_FAILURE,
}
_NEXT: Mapping[str, Mapping[Report, Status]] = {
    Status.QUEUED: _OPEN,
    Status.SENDING: _OPEN,
    Status.TEMPORARY_FAILURE: _OPEN,
    Status.SENT: {Report.DELIVERED: Status.DELIVERED, Report.FAILED: Status.PERMANENT_FAILURE},
}


def twilio_report(message_status: str) -> Report | None:
    """Read Twilio's MessageStatus; None for a status that says nothing about delivery."""
    return _TWILIO.get(message_status.lower())


def mail_report(event_type: str) -> Report | None:
    """Read a mail event by django-anymail's type; None for opens, clicks and the like."""
    return _MAIL.get(event_type)


def next_status(current: str, report: Report, *, is_mail: bool = False) -> Status | None:
    """Return the status that a report leads to; None when it changes nothing."""
    if is_mail and current == Status.DELIVERED and report is Report.FAILED:
        return Status.PERMANENT_FAILURE
    return _NEXT.get(current, {}).get(report)
