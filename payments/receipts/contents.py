"""The contents of a receipt and its texts. Pure: no database, no settings, no clock.

``ReceiptContents`` is the snapshot that is stored when a receipt is issued; it never changes. ``written`` turns it into
the texts that both the web page and the PDF show, in the language and time zone of the receipt.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.utils import formats, translation
from django.utils.translation import gettext, pgettext

from core.formats import full_day_text, money_text, percent_text, time_text

SumKind = Literal["total", "tax", "paid", "refunded", "open", "credit"]


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of the bill. Amounts are minor units for the whole quantity and negative in a correction.

    :raises ValueError: if net and tax do not add up to the gross amount.
    """

    text: str
    quantity: int
    net_minor: int
    tax_minor: int
    gross_minor: int
    tax_basis_points: int

    def __post_init__(self) -> None:
        if self.net_minor + self.tax_minor != self.gross_minor:
            raise ValueError("Net and tax do not make the gross amount.")


@dataclass(frozen=True, slots=True)
class ReceiptMoney:
    """A payment or a refund on a receipt. The amount is in minor units and never negative.

    ``method`` is a code (``card``), ``detail`` a text for the customer (``Visa ···· 4242``).

    :raises ValueError: if the amount is negative or ``at`` has no time zone.
    """

    kind: Literal["payment", "refund"]
    at: datetime
    method: str
    detail: str
    amount_minor: int

    def __post_init__(self) -> None:
        if self.amount_minor < 0:
            raise ValueError("The amount of a movement cannot be negative.")
        _refuse_naive(self.at)


@dataclass(frozen=True, slots=True)
class ReceiptContents:
    """Everything on a receipt, as it was when it was issued.

    ``kind`` ``refund`` is a credit note; ``original_number`` then is the number of the receipt it belongs to.
    ``this_amount_minor`` is what was paid or refunded this time. ``issuer`` and ``subject`` are lines of text in
    ``language``. ``zone`` is an IANA name, ``brand_colour`` is ``#rrggbb``.

    :raises ValueError: if ``issued_at`` has no time zone.
    """

    kind: Literal["receipt", "refund"]
    number: str
    issued_at: datetime
    currency: str
    language: str
    zone: str
    issuer: tuple[str, ...]
    customer_name: str
    subject: tuple[str, ...]
    lines: tuple[ReceiptLine, ...]
    movements: tuple[ReceiptMoney, ...]
    this_amount_minor: int
    note: str = ""
    original_number: str = ""
    brand_colour: str = "#0f766e"

    def __post_init__(self) -> None:
        _refuse_naive(self.issued_at)

    def to_json(self) -> dict[str, Any]:
        """Return the contents as JSON types, for a JSON column. Instants become ISO 8601."""
        document = asdict(self)
        return document | {
            "issued_at": self.issued_at.isoformat(),
            "issuer": list(self.issuer),
            "subject": list(self.subject),
            "lines": list(document["lines"]),
            "movements": [movement | {"at": movement["at"].isoformat()} for movement in document["movements"]],
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "ReceiptContents":
        """Read what ``to_json`` wrote.

        :raises KeyError, TypeError: if a field is missing or unknown.
        :raises ValueError: if an instant cannot be read or a line does not add up.
        """
        known = {
            "issued_at": datetime.fromisoformat(document["issued_at"]),
            "issuer": tuple(document["issuer"]),
            "subject": tuple(document["subject"]),
            "lines": tuple(ReceiptLine(**line) for line in document["lines"]),
            "movements": tuple(
                ReceiptMoney(**movement | {"at": datetime.fromisoformat(movement["at"])})
                for movement in document["movements"]
            ),
        }
        return cls(**{**document, **known})


@dataclass(frozen=True, slots=True)
class TaxTotal:
    """The sums of all lines with one tax rate, in minor units."""

    basis_points: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums of a receipt in minor units. ``taxes`` add up to ``gross_minor``; a negative ``open_minor`` is a credit."""

    net_minor: int
    taxes: tuple[TaxTotal, ...]
    gross_minor: int
    paid_minor: int
    refunded_minor: int
    open_minor: int


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line as texts. ``tax`` is empty if no line of the receipt has tax."""

    text: str
    tax: str
    sum: str


@dataclass(frozen=True, slots=True)
class WrittenSum:
    """A sum below the lines. From top to bottom the sums are a calculation: what lowers the amount due has a minus."""

    kind: SumKind
    label: str
    sum: str


@dataclass(frozen=True, slots=True)
class WrittenMovement:
    """A payment or refund as texts. ``how`` is its method, ``when`` is in the receipt's time zone."""

    kind: Literal["payment", "refund"]
    label: str
    how: str
    when: str
    sum: str


@dataclass(frozen=True, slots=True)
class WrittenReceipt:
    """Every text that a page or a PDF shows, headings included, as plain strings. ``note`` is a list of paragraphs."""

    title: str
    headline: str
    headline_note: str
    facts: tuple[tuple[str, str], ...]
    issuer_heading: str
    issuer: tuple[str, ...]
    customer_heading: str
    customer_name: str
    subject: tuple[str, ...]
    line_headings: tuple[str, str, str]
    lines: tuple[WrittenLine, ...]
    sums: tuple[WrittenSum, ...]
    movements_heading: str
    movements: tuple[WrittenMovement, ...]
    note: tuple[str, ...]


def receipt_number(year: int, serial: int) -> str:
    """Return a receipt number such as 2026-000123. ``serial`` counts within the year, from 1."""
    return f"{year}-{serial:06d}"


def totals(contents: ReceiptContents) -> Totals:
    """Add up the lines, with taxes by ascending rate, and the payments and refunds."""
    rates = sorted({line.tax_basis_points for line in contents.lines})
    taxes = tuple(_tax_total(contents.lines, rate) for rate in rates)
    gross = sum(line.gross_minor for line in contents.lines)
    paid = sum(money.amount_minor for money in contents.movements if money.kind == "payment")
    refunded = sum(money.amount_minor for money in contents.movements if money.kind == "refund")
    return Totals(
        net_minor=sum(tax.net_minor for tax in taxes),
        taxes=taxes,
        gross_minor=gross,
        paid_minor=paid,
        refunded_minor=refunded,
        open_minor=gross - paid + refunded,
    )


def method_text(method: str) -> str:
    """Name a payment method in the active language. An unknown code is capitalised."""
    names = {
        "card": pgettext("way to pay", "Card"),
        "cash": pgettext("way to pay", "Cash"),
        "terminal": pgettext("way to pay", "Card at the desk"),
        "transfer": pgettext("way to pay", "Bank transfer"),
        "direct_debit": pgettext("way to pay", "Direct debit"),
        "sepa_debit": pgettext("way to pay", "Direct debit"),
        "voucher": pgettext("way to pay", "Voucher"),
        # Brand names, the same in every language.
        "ideal": "iDEAL",
        "bancontact": "Bancontact",
        "blik": "BLIK",
        "p24": "Przelewy24",
        "paypal": "PayPal",
        "klarna": "Klarna",
        "link": "Link",
        "apple_pay": "Apple Pay",
        "google_pay": "Google Pay",
    }
    return names.get(method) or method.replace("_", " ").capitalize()


def written(contents: ReceiptContents) -> WrittenReceipt:
    """Return the texts of a receipt in its language, with times in its zone.

    :raises zoneinfo.ZoneInfoNotFoundError: if its zone is unknown.
    """
    with translation.override(contents.language):
        refund = contents.kind == "refund"
        day = _day_text(contents.issued_at, contents.zone)
        with_tax = any(line.tax_basis_points for line in contents.lines)
        return WrittenReceipt(
            title=gettext("Refund receipt") if refund else gettext("Receipt"),
            headline=_headline(contents),
            headline_note=day,
            facts=_facts(contents, day),
            issuer_heading=pgettext("receipt", "From"),
            issuer=contents.issuer,
            customer_heading=pgettext("receipt", "For"),
            customer_name=contents.customer_name,
            subject=contents.subject,
            line_headings=(
                pgettext("receipt", "What"),
                pgettext("receipt", "Tax") if with_tax else "",
                pgettext("receipt", "Sum"),
            ),
            lines=tuple(_written_line(line, contents.currency, with_tax) for line in contents.lines),
            sums=_written_sums(totals(contents), contents.currency),
            movements_heading=gettext("Payments and refunds"),
            movements=tuple(_written_movement(money, contents) for money in contents.movements),
            note=tuple(contents.note.splitlines()),
        )


def _refuse_naive(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise ValueError("An instant on a receipt needs a time zone.")


def _tax_total(lines: tuple[ReceiptLine, ...], rate: int) -> TaxTotal:
    taxed = [line for line in lines if line.tax_basis_points == rate]
    return TaxTotal(rate, sum(line.net_minor for line in taxed), sum(line.tax_minor for line in taxed))


def _headline(contents: ReceiptContents) -> str:
    pattern = gettext("%(sum)s refunded") if contents.kind == "refund" else gettext("%(sum)s paid")
    return pattern % {"sum": money_text(contents.this_amount_minor, contents.currency)}


def _facts(contents: ReceiptContents, day: str) -> tuple[tuple[str, str], ...]:
    facts = [(pgettext("receipt", "Number"), contents.number), (pgettext("receipt", "Date"), day)]
    if contents.original_number:
        facts.append((gettext("Belongs to receipt"), contents.original_number))
    return tuple(facts)


def _written_line(line: ReceiptLine, currency: str, with_tax: bool) -> WrittenLine:
    text = line.text
    if line.quantity != 1:
        # Translators: how many of what, such as 2 × Towel.
        text = pgettext("receipt", "%(count)d × %(what)s") % {"count": line.quantity, "what": text}
    return WrittenLine(
        text=text,
        tax=_rate_text(line.tax_basis_points) if with_tax else "",
        sum=money_text(line.gross_minor, currency),
    )


def _written_sums(sums: Totals, currency: str) -> tuple[WrittenSum, ...]:
    rows = [WrittenSum("total", pgettext("receipt", "Total"), money_text(sums.gross_minor, currency))]
    if any(tax.basis_points for tax in sums.taxes):
        rows += [_written_tax(tax, currency) for tax in sums.taxes]
    rows.append(WrittenSum("paid", pgettext("receipt", "Paid"), money_text(-sums.paid_minor, currency)))
    if sums.refunded_minor:
        rows.append(WrittenSum("refunded", pgettext("receipt", "Refunded"), money_text(sums.refunded_minor, currency)))
    if sums.open_minor < 0:
        rows.append(WrittenSum("credit", gettext("In your favour"), money_text(-sums.open_minor, currency)))
    else:
        rows.append(WrittenSum("open", gettext("Still to pay"), money_text(sums.open_minor, currency)))
    return tuple(rows)


def _written_tax(tax: TaxTotal, currency: str) -> WrittenSum:
    # Translators: a tax that the total includes, such as: incl. 19 % tax on €67.23.
    label = gettext("incl. %(rate)s tax on %(net)s") % {
        "rate": _rate_text(tax.basis_points),
        "net": money_text(tax.net_minor, currency),
    }
    return WrittenSum("tax", label, money_text(tax.tax_minor, currency))


def _written_movement(money: ReceiptMoney, contents: ReceiptContents) -> WrittenMovement:
    refund = money.kind == "refund"
    return WrittenMovement(
        kind=money.kind,
        label=gettext("Refund") if refund else gettext("Payment"),
        how=", ".join(part for part in (method_text(money.method), money.detail) if part),
        when=_moment_text(money.at, contents.zone),
        sum=money_text(-money.amount_minor if refund else money.amount_minor, contents.currency),
    )


def _rate_text(basis_points: int) -> str:
    rate = Decimal(basis_points) / 100
    places = next(places for places in (0, 1, 2) if rate == round(rate, places))
    return percent_text(formats.number_format(rate, places))


def _day_text(moment: datetime, zone: str) -> str:
    return full_day_text(moment.astimezone(ZoneInfo(zone)).date())


def _moment_text(moment: datetime, zone: str) -> str:
    local = moment.astimezone(ZoneInfo(zone))
    return pgettext("day and time", "%(day)s, %(time)s") % {
        "day": full_day_text(local.date()),
        "time": time_text(local),
    }
