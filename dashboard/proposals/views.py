"""Proposals at the desk: the list, one proposal side by side, an owner's decision, and withdrawing one's own."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from bookings.errors import BookingsOutside, ProposalDecided, ProposalOutdated
from bookings.operations.proposals import approve_change, reject_change, seen_of, withdraw_change
from core.errors import DomainError
from core.references import new_token
from dashboard import idempotency
from dashboard.door import Desk
from dashboard.permissions import Act, may
from dashboard.proposals import presenter, queries
from dashboard.proposals.forms import DecisionForm
from dashboard.proposals.policy_texts import policies_of
from dashboard.views.pages import desk_page, show
from services.enums import ProposalKind
from services.models import ProposedChange
from services.queries import current_values, zone_of_business


@require_safe
@desk_page
def overview(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List the proposals that wait, the oldest first, and below them those that were decided, the latest first."""
    proposals = queries.proposals_visible_to(desk.rights)
    waiting = list(proposals.filter(decision="").order_by("pk")[: queries.MOST_LISTED])
    decided = list(proposals.exclude(decision="").order_by("-decided_at", "-pk")[: queries.MOST_LISTED])
    current = current_values(waiting)
    zone, policies = zone_of_business(), presenter.Policies(queries.policy_names())
    context = {
        "waiting": [presenter.row_of(each, current[each.pk], zone, policies) for each in waiting],
        "decided": [presenter.row_of(each, None, zone, policies) for each in decided],
        "may_approve": may(desk.rights, Act.APPROVE),
        "most": queries.MOST_LISTED,
        "is_cut": queries.MOST_LISTED in {len(waiting), len(decided)},
    }
    return show(request, desk, "dashboard/proposals/list.html", context, current="proposals")


@require_safe
@desk_page
def proposal(request: HttpRequest, desk: Desk, proposal_id: int) -> HttpResponse:
    """Show what customers see now beside what is proposed."""
    found = get_object_or_404(queries.proposals_visible_to(desk.rights), pk=proposal_id)
    return _page(request, desk, found, DecisionForm())


@require_POST
@desk_page
def decide(request: HttpRequest, desk: Desk, proposal_id: int) -> HttpResponse:
    """Approve or reject a proposal. A form that is sent twice counts once, and the first decision stays."""
    found = get_object_or_404(ProposedChange, pk=proposal_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _page(request, desk, found, form, status=422)
    try:
        with transaction.atomic():
            if idempotency.claim(request, request.POST.get("request_key", "")[:64] or new_token()):
                _decide(request, desk, proposal_id, form)
    except ProposalDecided as error:
        messages.warning(request, str(error.sentence))
    except DomainError as error:
        outside = error.data.get("booking_ids", []) if isinstance(error, BookingsOutside) else []
        return _page(request, desk, found, form, error=error, outside=outside, status=error.status)
    return _to(found)


@require_POST
@desk_page
def withdraw(request: HttpRequest, desk: Desk, proposal_id: int) -> HttpResponse:
    """Withdraw one's own proposal while it waits."""
    own = queries.proposals_visible_to(desk.rights).filter(proposed_by=desk.user)
    found = get_object_or_404(own, pk=proposal_id)
    try:
        withdraw_change(proposal_id=found.pk, actor=desk.actor, now=desk.now)
        messages.success(request, gettext("Withdrawn. Customers never saw it."))
    except ProposalDecided as error:
        messages.warning(request, str(error.sentence))
    return _to(found)


def _decide(request: HttpRequest, desk: Desk, proposal_id: int, form: DecisionForm) -> None:
    reason = form.cleaned_data["reason"]
    if form.cleaned_data["answer"] == "reject":
        reject_change(proposal_id=proposal_id, reason=reason, actor=desk.actor, now=desk.now)
        messages.success(request, gettext("Rejected. Customers go on seeing what they saw."))
        return
    approve_change(
        proposal_id=proposal_id,
        seen=request.POST.get("seen", ""),
        accepts_news=form.cleaned_data["accepts_news"],
        accepted_bookings=[int(each) for each in request.POST.getlist("outside") if _is_id(each)],
        reason=reason,
        actor=desk.actor,
        now=desk.now,
    )
    messages.success(request, gettext("Approved. Customers see it from now on."))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def _page(
    request: HttpRequest,
    desk: Desk,
    found: ProposedChange,
    form: DecisionForm,
    *,
    error: DomainError | None = None,
    outside: Iterable[int] = (),
    status: int = 200,
) -> HttpResponse:
    found.refresh_from_db()
    current, zone = current_values([found])[found.pk], zone_of_business()
    policies = policies_of(found, current, zone=zone, now=desk.now)
    is_outdated = isinstance(error, ProposalOutdated)
    context: dict[str, Any] = {
        "proposal": found,
        "row": presenter.row_of(found, current, zone, policies),
        "changes": presenter.changes_of(found, current, policies),
        "is_new": found.kind == ProposalKind.NEW_SERVICE,
        "notes": presenter.notes_of(found, queries.own_prices_kept(found)) if found.is_waiting else [],
        "may_decide": found.is_waiting and may(desk.rights, Act.APPROVE),
        "may_withdraw": found.is_waiting and found.proposed_by_id == desk.user.pk,
        # After news the owner reads the page again, and agrees again.
        "form": DecisionForm(initial={"reason": form.data.get("reason", "")}) if is_outdated else form,
        "problem": str(error.sentence) if error else "",
        "outside": [presenter.hit_of(each) for each in queries.bookings_by_id(desk.rights, outside)],
        "seen": seen_of(found),
        "request_key": new_token(),
    }
    return show(request, desk, "dashboard/proposals/proposal.html", context, current="proposals", status=status)


def _to(found: ProposedChange) -> HttpResponse:
    response = redirect("desk_proposal", found.pk)
    response.status_code = 303
    return response
