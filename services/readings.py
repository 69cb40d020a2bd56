"""Shows what stored prices and fees mean before and after a change of currency or tax mode. Nothing is converted."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from core import money
from core.formats import money_text
from services.enums import DepositKind, FeeKind
from services.models import AddOn, CancellationPolicy, CancellationTier, Service, ServiceVariant

# An owner would not read a longer list.
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Reading:
    """One stored number as text: as it reads now, and as it would read after the change."""

    what: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class _Stored:
    """A stored amount. ``tax_basis_points`` is None if tax is never added to it, as with fees and deposits."""

    what: str
    amount_minor: int
    tax_basis_points: int | None = None


def in_another_currency(old: str, new: str) -> list[Reading]:
    """Return how all stored amounts read in the old and the new currency; the minor units stay the same."""
    return [
        Reading(each.what, money_text(each.amount_minor, old), money_text(each.amount_minor, new)) for each in _sums()
    ]


def with_tax_mode(*, prices_include_tax: bool, currency: str) -> list[Reading]:
    """Return what customers pay for each taxed price now and after a change to ``prices_include_tax``."""

    def paid(each: _Stored, *, included: bool) -> str:
        tax = 0 if included else money.share(each.amount_minor, each.tax_basis_points or 0)
        return money_text(each.amount_minor + tax, currency)

    return [
        Reading(each.what, paid(each, included=not prices_include_tax), paid(each, included=prices_include_tax))
        for each in _sums()
        if each.tax_basis_points
    ]


def as_table(readings: list[Reading]) -> SafeString:
    """Return an HTML table with old and new readings side by side, at most 20 rows."""
    rows = format_html_join(
        "",
        '<tr><td class="pr-4">{}</td><td class="pr-4">{}</td><td>{}</td></tr>',
        ((each.what, each.old, each.new) for each in readings[:_LISTED]),
    )
    more = len(readings) - _LISTED
    note = format_html("<p>{}</p>", gettext("and %(count)d more") % {"count": more}) if more > 0 else ""
    head = format_html(
        '<tr><th class="pr-4 text-left">{}</th><th class="pr-4 text-left">{}</th><th class="text-left">{}</th></tr>',
        gettext("What"),
        gettext("Now"),
        gettext("After saving"),
    )
    return format_html("<table><thead>{}</thead><tbody>{}</tbody></table>{}", head, rows, note)


def _sums() -> Iterator[_Stored]:
    variants = ServiceVariant.objects.select_related("service").prefetch_related("qualifications__staff_member")
    for variant in variants.order_by("service__position", "service__name", "position"):
        rate = variant.service.tax_basis_points
        yield _Stored(str(variant), variant.price_minor, rate)
        for own in _own_prices(variant):
            yield _Stored(f"{variant}, {own.staff_member}", own.price_minor, rate)  # type: ignore[attr-defined]
    for extra in AddOn.objects.select_related("service"):
        yield _Stored(f"{extra.service}: {extra.name}", extra.price_minor, extra.service.tax_basis_points)
    for service in Service.objects.filter(deposit_kind=DepositKind.FIXED, deposit_value__isnull=False):
        yield _Stored(gettext("Deposit of %(what)s") % {"what": service}, service.deposit_value or 0)
    for policy in CancellationPolicy.objects.all():
        if policy.deposit_kind == DepositKind.FIXED and policy.deposit_value:
            yield _Stored(gettext("Deposit of %(what)s") % {"what": policy}, policy.deposit_value)
        if policy.change_fee_minor:
            yield _Stored(gettext("Fee for moving, %(what)s") % {"what": policy}, policy.change_fee_minor)
        if policy.no_show_fee_kind == FeeKind.FIXED and policy.no_show_fee_value:
            yield _Stored(gettext("Fee for not coming, %(what)s") % {"what": policy}, policy.no_show_fee_value)
    for tier in CancellationTier.objects.filter(fee_kind=FeeKind.FIXED).select_related("policy"):
        yield _Stored(gettext("Fee for cancelling, %(what)s") % {"what": tier.policy}, tier.fee_value)


def _own_prices(variant: ServiceVariant) -> list[Model]:
    qualifications = variant.qualifications.all()  # prefetched in _sums()
    return [each for each in qualifications if each.price_minor is not None]
