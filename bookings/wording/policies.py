"""The rules of a booking as sentences for customers, generated from its terms so that they cannot differ from them.

``wording.payments`` covers what is paid when booking and what a fee does to money already paid.

Pure except for translations: every instant is passed in and written as the exact local minute of the location, every
amount in the booking's currency. No sentence says that money is kept unless it was paid.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.numbers import format_decimal
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext, ngettext, override, pgettext

from bookings.booked import fee_facts, zone_of
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.rules.fees import FeeFacts, FeeStep, fee_of, fee_steps, free_by_time_until, keeps_deposit
from bookings.rules.moving import anchor_after_move, move_fee, reschedule_until
from bookings.rules.no_shows import no_show_fee
from bookings.rules.prepayment import Demand
from bookings.rules.terms import Terms
from core import formats, money
from services.enums import FeeKind, OverLimit, PaymentMode

# Placeholders for <strong> and </strong> until the text is escaped; users cannot type these characters.
_OPEN, _CLOSE = "\x02", "\x03"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFacts:
    """What the sentences about the rules of a booking depend on.

    Sentences describe the situation at ``now``: a deadline that has passed is described as passed, so none promises it.
    ``paid_minor`` is what was paid so far; before booking, what is due now.
    """

    fees: FeeFacts
    zone: ZoneInfo
    language: str
    now: datetime
    paid_minor: int = 0


def policy_facts(
    booking: Booking, *, asked: Demand | None = None, paid_minor: int | None = None, now: datetime
) -> PolicyFacts:
    """Return the facts for sentences in the active language, about a booking as if it stood.

    ``asked``: what a booking that is still held will ask for; counts as paid unless ``paid_minor`` says otherwise.
    """
    due_now_minor = asked.due_now_minor if asked else 0
    return PolicyFacts(
        fees=replace(fee_facts(booking, asked), status=BookingStatus.CONFIRMED),
        zone=zone_of(booking),
        language=get_language() or booking.language,
        now=now,
        paid_minor=due_now_minor if paid_minor is None else paid_minor,
    )


@dataclass(frozen=True, slots=True)
class CancelNow:
    """What cancelling costs now, and the last instant (included) at which it still costs that.

    ``changes_after`` and ``next_fee_minor`` are None when the amount stays until the start.
    """

    fee_minor: int
    sentence: SafeString
    changes_after: datetime | None
    next_fee_minor: int | None


def policy_sentence(facts: PolicyFacts) -> SafeString:
    """Return what cancelling, moving and not coming cost as HTML, the exact minutes in bold: one sentence each.

    Before the booking is made it mentions the free minutes after booking where they can matter, and the whole rule of
    moving. After that, ``move_sentence`` says what is left of that rule.
    """
    return _html(_rule(_Story(facts)))


def plain_policy_sentence(facts: PolicyFacts) -> str:
    """Return ``policy_sentence`` as plain text, for messages and consents."""
    return _plain(_rule(_Story(facts)))


def plain_fee_sentence(facts: PolicyFacts) -> str:
    """Return what cancelling and not coming cost as plain text: the fees that a saved card may be charged."""
    story = _Story(facts)
    return _plain(_joined(_cancelling(story), _absence_ahead(story)))


def cancel_now(facts: PolicyFacts) -> CancelNow:
    """Return what cancelling costs at ``now``, which must be before the start, and when that changes."""
    story = _Story(facts)
    left = story.steps_left()
    changes = len(left) > 1
    with override(story.language):
        sentences = [story.costs(left[:1]) if left[0].fee_minor else gettext("Cancelling now is free.")]
        if changes:
            sentences.append(story.change(left[0].until, left[1].fee_minor))
    return CancelNow(
        fee_minor=left[0].fee_minor,
        sentence=_html(" ".join(sentences)),
        changes_after=left[0].until if changes else None,
        next_fee_minor=left[1].fee_minor if changes else None,
    )


def move_sentence(facts: PolicyFacts, *, move_count: int) -> SafeString:
    """Return until when a customer may move a confirmed booking, and what the next move costs or how many are free.

    Empty when it can no longer be moved.
    """
    story = _Story(facts)
    until = reschedule_until(story.fees)
    if until is None or story.now > until:
        return SafeString("")
    with override(story.language):
        sentences = [gettext("You can move it until %(until)s.") % {"until": story.moment(until)}]
        if fee := move_fee(story.fees, move_count=move_count, by_staff=False):
            sentences.append(gettext("The next move costs %(fee)s.") % {"fee": story.money(fee)})
        elif story.terms.free_move_count is not None:
            left = max(0, story.terms.free_move_count - move_count)
            sentences.append(
                ngettext("%(count)d free move is left.", "%(count)d free moves are left.", left) % {"count": left}
            )
    return _html(" ".join(sentences))


def late_move_sentence(facts: PolicyFacts) -> SafeString:
    """Return the warning that cancelling costs at least today's fee after a move at ``now``; empty while it is free."""
    story = _Story(facts)
    anchor = anchor_after_move(story.fees, story.now)
    if not anchor:
        return SafeString("")
    with override(story.language):
        return _html(
            gettext("Cancelling costs %(fee)s now, and at least as much after a move.") % {"fee": story.fee(anchor)}
        )


def no_show_sentence(facts: PolicyFacts, *, is_first: bool = False) -> SafeString:
    """Return what not coming costs; empty where it costs nothing. ``is_first`` as in ``no_shows.no_show_fee``."""
    return _html(_absence(_Story(facts), is_first=is_first))


def plain_no_show_sentence(facts: PolicyFacts, *, is_first: bool = False) -> str:
    """Return ``no_show_sentence`` as plain text."""
    return _plain(_absence(_Story(facts), is_first=is_first))


def moment_words(instant: datetime, zone: ZoneInfo) -> str:
    """Return the local minute, rounded down so that it never promises too much.

    Where a clock change repeats an hour, the text says which one it is.
    """
    return formats.moment_text(instant.astimezone(zone))


@dataclass(frozen=True, slots=True)
class _Story:
    """The facts of one booking and the parts of sentences about it. Call its methods with the language active."""

    facts: PolicyFacts

    @property
    def fees(self) -> FeeFacts:
        return self.facts.fees

    @property
    def terms(self) -> Terms:
        return self.facts.fees.terms

    @property
    def language(self) -> str:
        return self.facts.language

    @property
    def now(self) -> datetime:
        return self.facts.now

    @property
    def is_made_before_now(self) -> bool:
        """Return whether there is a booking that could be cancelled at ``now``."""
        return self.fees.confirmed_at is not None and self.fees.confirmed_at < self.now

    def steps(self) -> list[FeeStep]:
        return fee_steps(self.fees)

    def steps_left(self) -> list[FeeStep]:
        """Return the steps that are not over; after the start the last one."""
        steps = self.steps()
        return [step for step in steps if self.now <= step.until] or steps[-1:]

    def money(self, amount_minor: int) -> str:
        return money.formatted(amount_minor, self.fees.currency, self.language)

    def moment(self, instant: datetime) -> str:
        return f"{_OPEN}{moment_words(instant, self.facts.zone)}{_CLOSE}"

    def fee(self, fee_minor: int) -> str:
        """Return a fee in the terms' own words, always with the amount."""
        amount = self.money(fee_minor)
        if fee_minor == self.fees.total_minor:
            return gettext("the whole price (%(amount)s)") % {"amount": amount}
        if fee_minor == self.fees.deposit_minor and self.terms.payment_mode == PaymentMode.DEPOSIT:
            return gettext("the deposit (%(amount)s)") % {"amount": amount}
        for kind, value in self._fee_parts():
            if kind == FeeKind.PERCENT and fee_of(kind, value, self.fees.total_minor) == fee_minor:
                return pgettext("fee", "%(share)s (%(amount)s)") % {
                    "share": _percent(value, self.language),
                    "amount": amount,
                }
        return amount

    def _fee_parts(self) -> Iterator[tuple[FeeKind, int]]:
        yield from ((tier.kind, tier.value) for tier in self.terms.tiers)
        yield self.terms.no_show_fee_kind, self.terms.no_show_fee_value

    def is_paid(self, fee_minor: int) -> bool:
        """Return whether what was paid covers this fee and every lower one, so that it is kept and not due."""
        return self.facts.paid_minor >= fee_minor

    def free_then(self, steps: Sequence[FeeStep]) -> str:
        text = (
            gettext("Free to cancel until %(until)s; after that %(fee)s is kept")
            if self.is_paid(steps[-1].fee_minor)
            else gettext("Free to cancel until %(until)s; after that %(fee)s is due")
        )
        first = text % {"until": self.moment(steps[0].until), "fee": self.fee(steps[1].fee_minor)}
        return first + self._later(steps[1:])

    def costs(self, steps: Sequence[FeeStep]) -> str:
        text = {
            (False, False): gettext("If you cancel, %(fee)s is due"),
            (False, True): gettext("If you cancel, %(fee)s is kept"),
            (True, False): gettext("If you cancel now, %(fee)s is due"),
            (True, True): gettext("If you cancel now, %(fee)s is kept"),
        }[self.is_made_before_now, self.is_paid(steps[-1].fee_minor)]
        return text % {"fee": self.fee(steps[0].fee_minor)} + self._later(steps)

    def change(self, until: datetime, fee_minor: int) -> str:
        text = (
            gettext("After %(moment)s, %(fee)s is kept.")
            if self.is_paid(fee_minor)
            else gettext("After %(moment)s, %(fee)s is due.")
        )
        return text % {"moment": self.moment(until), "fee": self.fee(fee_minor)}

    def _later(self, steps: Sequence[FeeStep]) -> str:
        """Add every further step, and end the sentence."""
        parts = [
            # Translators: goes on a sentence such as "If you cancel, 50 % (€40.00) is due".
            gettext(", after %(moment)s %(fee)s") % {"moment": self.moment(at.until), "fee": self.fee(then.fee_minor)}
            for at, then in itertools.pairwise(steps)
        ]
        return "".join(parts) + pgettext("end of a sentence", ".")


def _rule(story: _Story) -> str:
    return _joined(_cancelling(story), _moving(story), _absence_ahead(story))


def _cancelling(story: _Story) -> str:
    steps, left = story.steps(), story.steps_left()
    with override(story.language):
        if steps[-1].fee_minor == 0:
            start = story.moment(story.fees.starts_at)
            return gettext("Free to cancel until the start on %(start)s.") % {"start": start}
        sentences = [_past(story, steps, left)]
        sentences.append(story.costs(left) if left[0].fee_minor else story.free_then(left))
        sentences.append(_grace(story))
        return _joined(*sentences)


def _moving(story: _Story) -> str:
    """Before the booking is made, return until when it may be moved, how often for free, and the fee after that."""
    if story.fees.confirmed_at is not None:
        return ""
    terms = story.terms
    # The free minutes after booking count as if it were booked now.
    until = reschedule_until(replace(story.fees, confirmed_at=story.now))
    is_blocked = terms.over_limit == OverLimit.BLOCKED
    with override(story.language):
        if until is None or (is_blocked and terms.free_move_count == 0):
            return gettext("It cannot be moved online.")
        if story.now > until:
            return gettext("Moving it online was possible until %(until)s.") % {"until": story.moment(until)}
        values = {
            "until": story.moment(until),
            "count": terms.free_move_count,
            "fee": story.money(terms.change_fee_minor),
        }
        if terms.free_move_count is None or (not is_blocked and not terms.change_fee_minor):
            return gettext("You can move it until %(until)s.") % values
        if is_blocked:
            text = ngettext(
                "You can move it %(count)d time, until %(until)s.",
                "You can move it %(count)d times, until %(until)s.",
                terms.free_move_count,
            )
        elif terms.free_move_count == 0:
            text = gettext("You can move it until %(until)s; each move costs %(fee)s.")
        else:
            text = ngettext(
                "You can move it until %(until)s; %(count)d move is free, each further one costs %(fee)s.",
                "You can move it until %(until)s; %(count)d moves are free, each further one costs %(fee)s.",
                terms.free_move_count,
            )
        return text % values


def _absence_ahead(story: _Story) -> str:
    """Return what not coming costs, as long as the customer can still come."""
    is_ahead = story.now < story.fees.starts_at
    return _absence(story, is_first=False) if is_ahead else ""


def _absence(story: _Story, *, is_first: bool) -> str:
    due = no_show_fee(story.fees, is_first=is_first)
    if not due:
        return ""
    with override(story.language):
        text = (
            gettext("If you do not come, %(fee)s is kept.")
            if story.is_paid(due)
            else gettext("If you do not come, %(fee)s is due.")
        )
        sentences = [text % {"fee": story.fee(due)}]
        days = story.terms.first_no_show_free_days
        if days is not None and not is_first and no_show_fee(story.fees, is_first=True) == 0:
            once = ngettext(
                "The first time in %(count)d day is free.", "The first time in %(count)d days is free.", days
            )
            sentences.append(once % {"count": days})
    return " ".join(sentences)


def _past(story: _Story, steps: Sequence[FeeStep], left: Sequence[FeeStep]) -> str:
    """Return why cancelling is no longer free, if it ever was."""
    if left[0].fee_minor and story.fees.anchor_minor:
        return gettext("You moved this appointment when cancelling was no longer free.")
    if left[0].fee_minor and not steps[0].fee_minor:
        return gettext("Cancelling was free until %(until)s.") % {"until": story.moment(steps[0].until)}
    return ""


def _grace(story: _Story) -> str:
    """Before the booking is made, mention its first free minutes, unless there are none or they add nothing."""
    fees, terms = story.fees, story.terms
    if fees.confirmed_at is not None or not terms.grace_minutes or (fees.deposit_minor and keeps_deposit(terms)):
        return ""
    length = formats.hours_text(terms.grace_minutes)
    if free_by_time_until(replace(fees, confirmed_at=story.now)) == free_by_time_until(fees):
        return ""
    return gettext("For %(length)s after booking you can cancel free.") % {"length": length}


def _percent(basis_points: int, language: str) -> str:
    if basis_points % 100 == 0:
        return formats.percent_text(basis_points // 100)
    number = format_decimal(basis_points / 100, locale=language.replace("-", "_"))
    return formats.percent_text(number)


def _html(text: str) -> SafeString:
    return mark_safe(escape(text).replace(_OPEN, "<strong>").replace(_CLOSE, "</strong>"))  # noqa: S308 - escaped first


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _plain(text: str) -> str:
    return text.replace(_OPEN, "").replace(_CLOSE, "")
