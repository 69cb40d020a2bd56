"""The cash book as rows, totals, and CSV. A cell that a spreadsheet would run as a formula becomes plain text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy, ngettext

from core import formats
from core.csv import plain_cell
from core.money import major
from dashboard.cash_book import Movement
from dashboard.presenters.money import means_text
from payments.enums import Method, Purpose, RefundReason
from payments.models import Payment, Reconciliation

TODAY, LAST_WEEK, LAST_MONTH = gettext_lazy("Today"), gettext_lazy("7 days"), gettext_lazy("30 days")


@dataclass(frozen=True, slots=True)
class Row:
    day: str
    time: str
    what: str
    means: str
    sum: str
    is_back: bool
    name: str = ""
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """``came`` is the sum of payments, ``went`` the sum of refunds, ``kept`` the difference; all of them text."""

    label: str
    came: str
    went: str
    kept: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One reconciliation: its time, its result in a sentence, and its lines."""

    at: str
    text: str
    lines: tuple[str, ...]
    is_calm: bool


def rows_of(movements: Sequence[Movement], zone: ZoneInfo) -> list[Row]:
    return [_row(movement, zone) for movement in movements]


def totals_of(movements: Iterable[Movement]) -> list[Total]:
    """Return a line for each method and currency, then one for each currency that has several methods."""
    sums: dict[tuple[str, str], list[int]] = {}
    for movement in movements:
        key = (movement.payment.currency, str(Method(movement.row.method)))
        sums.setdefault(key, [0, 0])[movement.amount_minor < 0] += abs(movement.amount_minor)
    lines = [
        _total(str(Method(method).label).capitalize(), currency, *sums[currency, method])
        for currency, method in sorted(sums)
    ]
    for currency in sorted({currency for currency, _ in sums}):
        parts = [value for (each, _), value in sums.items() if each == currency]
        if len(parts) > 1:
            lines.append(
                _total(gettext("All"), currency, sum(came for came, _ in parts), sum(went for _, went in parts))
            )
    return lines


def csv_rows(movements: Iterable[Movement], zone: ZoneInfo) -> Iterator[list[str]]:
    """Yield the header, then one line for each movement. Sums are plain numbers; no text is a formula."""
    yield ["date", "time", "booking", "name", "what", "method", "amount", "currency", "by", "note"]
    for movement in movements:
        at = movement.at.astimezone(zone)
        booking = movement.booking
        yield [
            at.date().isoformat(),
            f"{at:%H:%M}",
            booking.reference if booking else "",
            plain_cell(booking.contact_name if booking else ""),
            "payment" if movement.amount_minor > 0 else "refund",
            str(movement.row.method),
            str(major(movement.amount_minor, movement.payment.currency)),
            movement.payment.currency,
            plain_cell(movement.row.actor_name),
            plain_cell(movement.row.note),
        ]


def comparison_of(found: Reconciliation, zone: ZoneInfo) -> Comparison:
    """Return text such as "Compared 214, all the same", or how many were corrected and how many staff have to check."""
    parts = [ngettext("%(count)d compared", "%(count)d compared", found.checked_count) % {"count": found.checked_count}]
    if found.repaired_count:
        parts.append(gettext("%(count)d fixed") % {"count": found.repaired_count})
    if found.listed_count:
        parts.append(gettext("%(count)d to check") % {"count": found.listed_count})
    if not found.repaired_count and not found.listed_count:
        parts.append(gettext("everything matches"))
    if found.ended_at is None:
        parts = [gettext("did not finish")]
    return Comparison(
        at=formats.moment_text(found.started_at.astimezone(zone)),
        text=", ".join(parts),
        lines=tuple(str(line) for line in found.report),
        is_calm=found.ended_at is not None and not found.listed_count,
    )


def range_text(first: date, last: date) -> str:
    if first == last:
        return formats.full_day_text(first)
    return f"{formats.full_day_text(first)} – {formats.full_day_text(last)}"


def _row(movement: Movement, zone: ZoneInfo) -> Row:
    at = movement.at.astimezone(zone)
    booking = movement.booking
    row = movement.row
    means = means_text(movement.payment) if row.method == movement.payment.method else str(Method(row.method).label)
    what = str(Purpose(row.purpose).label) if isinstance(row, Payment) else str(RefundReason(row.reason).label)
    return Row(
        day=formats.day_text(at.date()),
        time=formats.time_text(at),
        what=gettext("Payment, %(what)s") % {"what": what}
        if isinstance(row, Payment)
        else gettext("Refund, %(what)s") % {"what": what},
        means=capfirst(means),
        sum=formats.money_text(movement.amount_minor, movement.payment.currency),
        is_back=movement.amount_minor < 0,
        name=booking.contact_name if booking else gettext("No booking known"),
        url=reverse("desk_booking", args=[booking.reference]) if booking else "",
        note=" · ".join(filter(None, (row.actor_name, row.note))),
    )


def _total(label: str, currency: str, came: int, went: int) -> Total:
    return Total(
        label,
        formats.money_text(came, currency),
        formats.money_text(-went, currency),
        formats.money_text(came - went, currency),
    )
