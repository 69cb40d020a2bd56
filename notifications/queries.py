"""Named reads of the queue."""

from collections.abc import Collection

from notifications.enums import RecipientRole
from notifications.models import Notification
from notifications.requests import ContextRequest


def has_newer(request: ContextRequest, *, kinds: Collection[str]) -> bool:
    """Whether a message of these kinds with a later version goes to the same person about the same subject."""
    newer = Notification.objects.filter(
        subject_ref=request.subject_ref,
        recipient_role=request.recipient_role,
        kind__in=kinds,
        version__gt=request.version,
    )
    if request.recipient_role == RecipientRole.STAFF:
        newer = newer.filter(recipient_ref=request.recipient_ref)
    return newer.exists()
