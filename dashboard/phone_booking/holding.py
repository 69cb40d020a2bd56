"""Holding a time for a phone booking, holding it again after a change, and releasing it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from django.http import Http404
from django.utils.translation import gettext

from accounts.enums import RecordKind
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.booked import first_line
from bookings.enums import BookingStatus
from bookings.errors import HoldExpired, HoldOver, SlotNotOffered, SlotTaken
from bookings.models import Booking, BookingEvent
from bookings.operations.hold import extend_hold, hold_slot, release_hold
from bookings.queries.bookings import held_page
from core.errors import DomainError
from core.references import token_hash
from dashboard.permissions import Act, location_ids_with
from dashboard.phone_booking import presenter, queries
from dashboard.phone_booking.callers import caller_by_reference, last_visit
from dashboard.phone_booking.choice import Choice, Slot
from dashboard.phone_booking.draft import NEW, Draft, language_of, start_from_last_visit
from dashboard.phone_booking.exceptions import OtherTimeForm, exceptional, typed_slot


def choose_caller(draft: Draft, key: str) -> Draft:
    """Take a found customer, a new one (``NEW``), or none (an empty ``key``)."""
    caller = None if key in {"", NEW} else caller_by_reference(draft.desk.rights, key)
    if caller:
        draft.desk.note_reading(RecordKind.CUSTOMER, caller.customer.reference)
    last = last_visit(caller.customer) if caller else None
    choice = start_from_last_visit(draft.choice, draft.offered, last, draft.data, draft.desk.now)
    known = key if caller or key == NEW else ""
    return hold_again(replace(draft, caller_key=known, caller=caller, last=last, choice=choice))


def hold_again(draft: Draft) -> Draft:
    """Hold the same time again if the choices have changed, or hold the time that a link names."""
    choice, held = draft.choice, draft.held
    if held is not None and not _is_for(held, choice):
        return hold_time(draft, presenter.slot_of(held), refused=_given_back)
    if held is None and choice.wanted is not None and not draft.token:
        return hold_time(draft, Slot(choice.wanted, choice.person.id if choice.person else None))
    return draft


def look_at(draft: Draft) -> Draft:
    """Name the rules that the time of a link breaks, if the user may override them. Looking holds nothing."""
    choice = draft.choice
    if choice.wanted is None or choice.variant is None or not _may_override(draft):
        return draft
    slot = Slot(choice.wanted, choice.person.id if choice.person else None)
    found = exceptional(choice, slot, held_booking_id=None, now=draft.desk.now)
    return replace(draft, exceptional=found) if found and found.overrides else draft


def with_live_hold(draft: Draft) -> tuple[Draft, Booking | None]:
    """Return the form's live hold. An expired one is taken again, if the time is still free.

    Without a hold the draft says what is missing or in the way.
    """
    draft = hold_again(draft)
    if draft.problem or draft.exceptional:
        return draft, None
    over = draft.held or (held_page(draft.token) if draft.token else None)
    if over is not None and _is_over(over, draft.desk.now):
        draft = hold_time(draft, presenter.slot_of(over))
    if draft.held is None and not draft.problem and not draft.exceptional:
        draft = replace(draft, problem=gettext("Choose a time first."), status=422)
    return draft, draft.held


def take_over(draft: Draft) -> Draft:
    """Hold the time of a link for this form, so that staff finish the booking: the customer's link ends with it.

    A time outside the rules is held with the overrides and the reason of the link's hold.
    """
    linked = draft.held or (held_page(draft.token) if draft.token else None)
    if linked is None:
        return hold_again(draft)
    begun = BookingEvent.objects.filter(booking=linked, from_status="").first()
    overrides = frozenset(begun.details.get("overrides", ())) if begun and _may_override(draft) else NO_OVERRIDES
    reason = begun.reason if begun and overrides else ""
    return hold_time(draft, presenter.slot_of(linked), overrides=overrides, reason=reason)


def keep_longer(draft: Draft, held: Booking) -> Draft:
    """Keep the hold from expiring while staff correct a field."""
    try:
        extend_hold(booking_id=held.pk, actor=draft.desk.actor, now=draft.desk.now)
    except (HoldExpired, HoldOver) as over:
        return replace(draft, held=None, problem=over.sentence, status=over.status)
    return replace(draft, status=422)


def _is_over(held: Booking, now: datetime) -> bool:
    is_held = held.status == BookingStatus.HELD and held.hold_expires_at is not None
    return not is_held or held.hold_expires_at <= now  # type: ignore[operator] # is_held has looked


def _is_for(held: Booking, choice: Choice) -> bool:
    line = first_line(held)
    extra_ids = {extra["id"] for extra in line.add_ons}
    chosen = choice.variant and (choice.variant.id, set(choice.extra_ids), choice.party_size)
    return chosen == (line.variant_id, extra_ids, held.party_size)


def hold_time(
    draft: Draft,
    slot: Slot | None,
    *,
    overrides: Overrides = NO_OVERRIDES,
    reason: str = "",
    refused: Callable[[Draft, Slot, SlotTaken | SlotNotOffered], Draft] | None = None,
) -> Draft:
    """Hold a time and release the earlier hold. The draft keeps the typed fields, also after a refusal.

    ``refused`` answers when the time is not free; without it the page names the broken rules or the nearest times.
    """
    choice = draft.choice
    if slot is None or choice.variant is None:
        return draft
    try:
        held = hold_slot(
            variant_id=choice.variant.id,
            location_id=choice.place.pk,
            start_minute=slot.start_minute,
            staff_member_id=choice.person.id if choice.person else None,
            preferred_staff_id=slot.staff_member_id,
            actor=draft.desk.actor,
            language=language_of(draft),
            visitor_hash=token_hash(f"desk:{draft.key}"),
            add_on_ids=choice.extra_ids,
            party_size=choice.party_size,
            replacing_token=draft.token or None,
            overrides=overrides,
            reason=reason,
            now=draft.desk.now,
        )
    except (SlotTaken, SlotNotOffered) as refusal:
        return (refused or _refused)(draft, slot, refusal)
    except DomainError as refusal:
        return replace(draft, held=None, problem=refusal.sentence, status=refusal.status)
    draft = replace(draft, token=held.token, held=held_page(held.token))
    wished = queries.by_id(choice.people).get(slot.staff_member_id or 0)
    if draft.held and wished and first_line(draft.held).staff_member_id != wished.id:
        return replace(draft, problem=presenter.other_person_text(draft.held, wished.name))
    return draft


def _may_override(draft: Draft) -> bool:
    places = location_ids_with(draft.desk.rights, Act.OVERRIDE)
    return places is None or draft.choice.place.pk in places


def _refused(draft: Draft, slot: Slot, refusal: SlotTaken | SlotNotOffered) -> Draft:
    """Name the broken rules if the user may override them, else offer the nearest free times."""
    draft = replace(draft, held=None)
    found = exceptional(draft.choice, slot, held_booking_id=None, now=draft.desk.now)
    if found and found.overrides and _may_override(draft):
        return replace(draft, exceptional=found, status=refusal.status)
    nearest = tuple(Slot(minute, None) for _, minute in refusal.data.get("alternatives", ()))
    if isinstance(refusal, SlotTaken):
        words = gettext("That time was just taken. Nothing is booked yet.")
    else:
        words = gettext("That time cannot be booked. Nothing is booked yet.")
    return replace(draft, problem=words, nearest=nearest, status=refusal.status)


def _given_back(draft: Draft, slot: Slot, refusal: SlotTaken | SlotNotOffered) -> Draft:
    """Give back the held time that does not fit what was chosen instead, and offer the nearest free times."""
    nearest = tuple(Slot(minute, None) for _, minute in refusal.data.get("alternatives", ()))
    words = presenter.given_back_text(draft.choice, slot.start_minute)
    return replace(release_time(draft), problem=words, nearest=nearest, status=refusal.status)


def hold_typed_time(draft: Draft) -> Draft:
    """Hold a time that was typed by hand."""
    form = OtherTimeForm(draft.data)
    if not form.is_valid():
        return replace(draft, problem=gettext("Type a day and a time, such as 14:30."), status=422)
    return hold_time(draft, typed_slot(draft.choice, form))


def hold_against_rules(draft: Draft, slot: Slot | None) -> Draft:
    """Hold a time against the rules that the page has named, with a reason for the history."""
    if slot is None or not _may_override(draft):
        raise Http404
    held_booking_id = draft.held.pk if draft.held else None
    found = exceptional(draft.choice, slot, held_booking_id=held_booking_id, now=draft.desk.now)
    why = draft.data.get("why", "").strip()[:300]
    if found is None or not found.overrides:
        return hold_time(draft, slot)
    if found.named != draft.data.get("broken"):
        return replace(draft, exceptional=found, status=409)
    if not why:
        return replace(draft, exceptional=found, why_error=gettext("Say why, for the history."), status=422)
    return hold_time(draft, found.slot, overrides=found.overrides, reason=why)


def release_time(draft: Draft) -> Draft:
    if draft.held is not None:
        try:
            release_hold(booking_id=draft.held.pk, actor=draft.desk.actor, now=draft.desk.now)
        except HoldOver as over:
            return replace(draft, held=None, problem=over.sentence, status=over.status)
    return replace(draft, held=None, token="")
