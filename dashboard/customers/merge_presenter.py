"""The preview of a merge as text: both records side by side, and what happens to what they have."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.phones import phone_text
from accounts.customer_merge import have_two_mailboxes
from accounts.models import Customer
from dashboard.customers import person_presenter
from dashboard.customers.person import Person
from dashboard.phone_booking.callers import Caller
from dashboard.visits import within_reach

_LONGEST_NOTE = 120


@dataclass(frozen=True, slots=True)
class Match:
    """A customer to choose as the other record."""

    name: str
    tone: int
    contact: str
    visits: str
    url: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two records. ``facts`` are pairs of label and text."""

    reference: str
    name: str
    tone: int
    url: str
    contact: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def match_of(caller: Caller, of: Customer) -> Match:
    customer = caller.customer
    contact = [phone_text(customer.phone) if customer.phone else "", customer.email]
    visits = ngettext("%(count)d visit", "%(count)d visits", caller.visits.came) % {"count": caller.visits.came}
    return Match(
        name=customer.name or gettext("No name given"),
        tone=customer.pk,
        contact=" · ".join(filter(None, contact)),
        visits=within_reach(visits, caller.visits.reach),
        url=f"{reverse('desk_customer_merge', args=[of.reference])}?with={customer.reference}",
    )


def side_of(person: Person, *, zone: ZoneInfo, now: datetime) -> Side:
    page = person_presenter.page_of(person, zone=zone, now=now, sees_money=True, shows_all=False, reader_id=0)
    return Side(
        reference=page.reference,
        name=page.name,
        tone=page.tone,
        url=reverse("desk_customer", args=[page.reference]),
        contact=tuple(filter(None, (*(way.note for way in page.contact), page.proven))),
        facts=tuple(_facts(person, page)),
    )


def _facts(person: Person, page: person_presenter.Page) -> Iterator[tuple[str, str]]:
    none = gettext("none")
    yield gettext("Visits"), page.trust
    yield gettext("Next visit"), f"{page.ahead[0].day}, {page.ahead[0].time}" if page.ahead else none
    yield gettext("Balance due"), page.due.total if page.due else gettext("nothing")
    yield gettext("Notes"), _first_words(page) or none
    yield gettext("Tags"), ", ".join(page.tags) or none
    yield gettext("Consents"), ", ".join(dict.fromkeys(each.title for each in _given(page))) or none
    yield gettext("Booking online"), gettext("blocked") if page.is_blocked else gettext("allowed")
    yield gettext("Paying in advance"), gettext("never asked") if page.is_exempt else gettext("as the rules say")
    yield gettext("Signs in"), gettext("yes") if person.customer.user_id else gettext("no")
    yield gettext("Customer since"), page.added


def _given(page: person_presenter.Page) -> list[person_presenter.ConsentRow]:
    return [each for each in (*page.consents, *page.earlier_consents) if each.is_given]


def _first_words(page: person_presenter.Page) -> str:
    if not page.notes:
        return ""
    first = page.notes[0].text
    words = first if len(first) <= _LONGEST_NOTE else f"{first[:_LONGEST_NOTE].rstrip()}…"
    if not (rest := len(page.notes) - 1):
        return words
    more = ngettext("(and %(count)d more)", "(and %(count)d more)", rest) % {"count": rest}
    return f"{words} {more}"


def effects_of(one: Customer, other: Customer) -> list[str]:
    """Return what the merge does, one sentence each."""
    sentences = [
        gettext("All bookings, receipts, notes, messages and consents are then at the record whose contact you keep."),
        gettext(
            "The other record leads there: its links keep working, and a booking with its address still finds the"
            " customer."
        ),
    ]
    if one.is_blocked != other.is_blocked:
        sentences.append(gettext("One of the two may not book online. That stays, unless you clear it below."))
    if have_two_mailboxes(one, other):
        sentences.append(
            gettext("The customer has confirmed both e-mail addresses. Bookings keep the one they were made with.")
        )
    return sentences


def done_text(kept: Customer) -> str:
    return gettext("Merged. This is now the only record of %(name)s.") % {"name": kept.name}


def moved_text() -> str:
    """Say why a page of a merged record shows another one."""
    return gettext("The record that you asked for was merged into this one.")
