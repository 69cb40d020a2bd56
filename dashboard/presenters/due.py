"""Until when a request about personal data has to be answered, as text, and its to-do."""

from datetime import UTC, date, datetime, time

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from core import formats
from dashboard.presenters.hand import Do, Hand
from privacy.enums import CaseKind
from privacy.models import PrivacyCase


def due_text(due_on: date, today: date) -> str:
    """Return text such as "Answer by Tue 29 Dec 2026, in 30 days"."""
    days = (due_on - today).days
    day = formats.full_day_text(due_on)
    if days < 0:
        words = ngettext("Was due %(day)s, %(count)d day ago", "Was due %(day)s, %(count)d days ago", -days)
        return words % {"day": day, "count": -days}
    if days == 0:
        return gettext("Answer today, %(day)s") % {"day": day}
    words = ngettext("Answer by %(day)s, in %(count)d day", "Answer by %(day)s, in %(count)d days", days)
    return words % {"day": day, "count": days}


def privacy_hand(case: PrivacyCase, now: datetime) -> Hand:
    """Return the to-do of a request that is due soon or past."""
    due = due_text(case.due_on, now.date())
    is_late = case.due_on < now.date()
    return Hand(
        icon_name="lock",
        title=gettext("Erasure asked for") if case.kind == CaseKind.ERASURE else gettext("Copy of data asked for"),
        text=gettext("A customer asked for it. The law gives a month to answer."),
        sum="",
        since=formats.moment_text(case.opened_at),
        until="" if is_late else due,
        late=due if is_late else "",
        actions=(Do(gettext("Answer"), reverse("desk_privacy_case", args=[case.reference])),),
        name=case.customer.name,
        about=gettext("privacy"),
        url=reverse("desk_privacy_case", args=[case.reference]),
    )


def end_of(case: PrivacyCase) -> datetime:
    return datetime.combine(case.due_on, time.max, UTC)
