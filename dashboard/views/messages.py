"""The messages of the business: which exist, for which recipients, by which channels and when."""

from django.conf import settings
from django.contrib import messages as notes
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from bookings.messages.catalogue import message_type
from bookings.messages.types import MessageType
from dashboard.door import Desk
from dashboard.message_forms import RulesForm
from dashboard.permissions import Act, may
from dashboard.presenters import messages as presenter
from dashboard.views.pages import desk_page, show
from notifications.addresses import TEXT_CHANNELS
from notifications.delivery.fanout import configured_text_channels
from notifications.enums import Channel, RecipientRole
from notifications.models import MessageText
from notifications.rules import current_rules
from notifications.wording.editing import set_rules


@require_safe
@desk_page
def overview(request: HttpRequest, desk: Desk) -> HttpResponse:
    """List every message in the order in which a customer receives them."""
    groups = presenter.groups(current_rules(), MessageText.objects.all())
    return show(request, desk, "dashboard/messages.html", {"groups": groups}, current="messages")


@require_http_methods(["GET", "HEAD", "POST"])
@desk_page
def rules(request: HttpRequest, desk: Desk, kind: str, role: str) -> HttpResponse:
    """Show the channels and times of one message. Only the owner can change them."""
    of = known_type(kind, role)
    channels = _channels()
    form = RulesForm(
        request.POST if request.method == "POST" else None, of=of, channels=channels, rules=current_rules()
    )
    if request.method == "POST" and form.is_valid():
        set_rules(kind=of.kind, role=of.role, wanted=form.wanted)
        notes.success(request, gettext("Saved. It applies to messages scheduled from now on."))
        response = redirect("desk_message", of.kind, of.role)
        response.status_code = 303
        return response
    context = {
        "of": of,
        "channels": [channel.label for channel in channels],
        "rows": [(presenter.distance_text(offset, of.timing), fields) for offset, fields in form.rows],
        "texts": presenter.text_rows(of, MessageText.objects.all()),
        "missing": [channel.label for channel in Channel if channel not in channels],
        "text_countries": sorted(settings.SMS_COUNTRIES) if _texts_customers(of, channels) else None,
        "may_edit": may(desk.rights, Act.EDIT_MESSAGES),
    }
    return show(request, desk, "dashboard/message.html", context, current="messages")


def known_type(kind: str, role: str) -> MessageType:
    found = message_type(kind, role)
    if found is None:
        raise Http404
    return found


def _texts_customers(of: MessageType, channels: list[Channel]) -> bool:
    return of.role == RecipientRole.CUSTOMER and any(channel in TEXT_CHANNELS for channel in channels)


def _channels() -> list[Channel]:
    """Return the channels that this site can send by, in the order of the list."""
    texts = configured_text_channels()
    return [channel for channel in Channel if channel not in TEXT_CHANNELS or channel in texts]
