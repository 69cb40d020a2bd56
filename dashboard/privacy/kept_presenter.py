"""How long each class of data is kept, as text: the settings with what the next night deletes, and what is kept why."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from django.conf import settings
from django.forms import BoundField
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from core import formats
from core.personal_data import DataKind, Erasing, declarations
from dashboard.privacy.forms import RetentionForm
from privacy.operations.keep import FIELDS

_HELP: Mapping[str, Promise] = {
    "bookings_months": _(
        "After the visit: name, e-mail, phone, notes and messages of finished and cancelled bookings go, and so does"
        " the customer. Times, services and sums stay. What has an open refund or dispute waits."
    ),
    "contact_months": _(
        "After they were added: customers without any booking that still has a name. Blocked customers stay."
    ),
    "notes_months": _("After the visit: session notes and tasks of staff."),
    "answers_months": _("After the visit: notes of customers, and addresses of home visits."),
    "messages_months": _("After the visit: e-mails and texts that were sent. Empty: %(days)s days."),
    "logs_months": _("The admin's log, and reasons that staff gave in histories. What was changed and when stays."),
    "receipt_name_years": _(
        "After an erased customer's payment. 0: the name goes at once, and number, date and sums stay. Ask your tax"
        " adviser what the law of your country wants."
    ),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One class of data. ``due`` says what the next night deletes; empty when nothing."""

    field: BoundField
    unit: str
    help: str
    due: str


@dataclass(frozen=True, slots=True)
class Kept:
    what: str
    why: str
    after: str
    note: str


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    rows: tuple[Kept, ...]


def settings_of(form: RetentionForm, due: Mapping[str, int]) -> list[Setting]:
    return [
        Setting(
            field=form[name],
            unit=gettext("years") if name.endswith("_years") else gettext("months"),
            help=str(_HELP[name]) % {"days": settings.MESSAGES_KEPT_DAYS}
            if name == "messages_months"
            else str(_HELP[name]),
            due=_due(name, due.get(name, 0)),
        )
        for name in FIELDS
    ]


def _help(name: str) -> str:
    return str(_HELP[name]) % {"days": settings.MESSAGES_KEPT_DAYS} if name == "messages_months" else str(_HELP[name])


def total_of(due: Mapping[str, int]) -> str:
    """Return text such as "The next night deletes or empties 312 records."."""
    count = sum(due.values())
    if not count:
        return gettext("The next night deletes nothing.")
    words = ngettext(
        "The next night deletes or empties %(count)s record.",
        "The next night deletes or empties %(count)s records.",
        count,
    )
    return words % {"count": formats.number_text(count)}


def kept_of() -> list[Group]:
    """Return everything that is kept about customers, by class of data, from the declarations of the apps."""
    held = sorted(
        (each for each in declarations() if each.kind is not DataKind.STAFF),
        key=lambda each: list(DataKind).index(each.kind),
    )
    return [
        Group(
            str(kind.label).capitalize(),
            tuple(Kept(str(each.what), str(each.why), _after(each.erasing), str(each.note)) for each in rows),
        )
        for kind, rows in groupby(held, key=lambda each: each.kind)
    ]


def _after(erasing: Erasing) -> str:
    return {
        Erasing.DELETE: gettext("deleted"),
        Erasing.BLANK: gettext("emptied"),
        Erasing.KEEP: gettext("stays"),
    }[erasing]


def _due(name: str, count: int) -> str:
    if not count:
        return ""
    words = {
        "bookings_months": lambda: ngettext("%(count)s booking", "%(count)s bookings", count),
        "contact_months": lambda: ngettext("%(count)s customer", "%(count)s customers", count),
        "notes_months": lambda: ngettext("notes of %(count)s visit", "notes of %(count)s visits", count),
        "answers_months": lambda: ngettext("words of %(count)s visit", "words of %(count)s visits", count),
        "messages_months": lambda: ngettext("%(count)s message", "%(count)s messages", count),
        "logs_months": lambda: ngettext("%(count)s row", "%(count)s rows", count),
        "receipt_name_years": lambda: ngettext("name on %(count)s receipt", "names on %(count)s receipts", count),
    }[name]()
    return words % {"count": formats.number_text(count)}
