"""The admin's theme, menu and content security policy, and the functions that it calls to ask about bookings."""

from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

# Differences from the site's policy. Alpine needs eval; Alpine and Unfold's colours need inline styles.
ADMIN_CONTENT_SECURITY_POLICY = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}

# Functions of ``bookings`` for the admin of lower apps, which may not import that app.
ADMIN_ROUTES = {
    "bookings_ahead": "bookings.queries.dependents.bookings_ahead",
    "stranded_bookings": "bookings.queries.dependents.stranded_bookings",
    "hours_in_use": "bookings.operations.hours_change.hours_in_use",
    "note_hours_change": "bookings.operations.hours_change.note_hours_change",
    "zone_change_preview": "bookings.operations.zone_change.zone_change_preview",
    "change_zone": "bookings.operations.zone_change.change_zone_as_user",
    # Names of the addresses where staff decide about these bookings.
    "outside_hours_page": "desk_outside_hours",
    "time_off_page": "desk_time_off",
    "zones_of_rows": "bookings.row_zones.zones_of_rows",
    "policy_preview": "bookings.wording.policy_preview.policy_preview",
    "lock_unless_needed": "bookings.operations.catalogue_guard.lock_unless_needed",
}


def _item(title: Any, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def _group(title: Any, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "items": list(items)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Openhours",
    "SITE_HEADER": "Openhours",
    "SITE_SUBHEADER": _("Settings of the business"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("img/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "10px",
    "STYLES": [lambda request: static("css/admin.css")],
    "SCRIPTS": [lambda request: static("js/session.js")],
    "COLORS": {
        # Warm greys and the product's colour, from light to dark.
        "base": {
            "50": "#faf9f7",
            "100": "#f4f2ef",
            "200": "#e7e4e0",
            "300": "#d3cec8",
            "400": "#9a938b",
            "500": "#6e6861",
            "600": "#57524d",
            "700": "#48433e",
            "800": "#302c29",
            "900": "#1b1917",
            "950": "#141210",
        },
        "primary": {
            "50": "#eef1ec",
            "100": "#e1e9e3",
            "200": "#bcd2cb",
            "300": "#93d9cf",
            "400": "#6fd2c7",
            "500": "#3aa89b",
            "600": "#0f766e",
            "700": "#0c625b",
            "800": "#0b4f4a",
            "900": "#0a413d",
            "950": "#062a28",
        },
        "font": {
            "subtle-light": "#6e6861",
            "subtle-dark": "#9a938b",
            "default-light": "#57524d",
            "default-dark": "#bdb6ae",
            "important-light": "#1c1917",
            "important-dark": "#f4f1ed",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            _group(
                _("Business"),
                _item(_("Business"), "storefront", "services_business"),
                _item(_("Locations"), "location_on", "services_location"),
                _item(_("Booking rules"), "rule", "services_bookingpolicy"),
                _item(_("Cancellation rules"), "event_busy", "services_cancellationpolicy"),
            ),
            _group(
                _("Catalogue"),
                _item(_("Services"), "spa", "services_service"),
                _item(_("Categories"), "category", "services_category"),
                _item(_("Rooms and devices"), "meeting_room", "services_resource"),
                _item(_("Resource types"), "widgets", "services_resourcetype"),
            ),
            _group(
                _("Team"),
                _item(_("Staff"), "badge", "staff_staffmember"),
                _item(_("Time off"), "beach_access", "staff_timeoff"),
                _item(_("Users"), "key", "accounts_user"),
                _item(_("Access"), "shield_person", "staff_access"),
            ),
            _group(
                _("Bookings"),
                _item(_("Bookings"), "calendar_month", "bookings_booking"),
                _item(_("Customers"), "group", "accounts_customer"),
                _item(_("Consents"), "handshake", "accounts_consent"),
            ),
            _group(
                _("Money"),
                _item(_("Bills"), "receipt_long", "payments_bill"),
                _item(_("Payments"), "payments", "payments_payment"),
                _item(_("Refunds"), "undo", "payments_refund"),
                _item(_("Receipts"), "receipt", "payments_receipt"),
                _item(_("Cards on file"), "credit_card", "payments_savedcard"),
                _item(_("To do"), "notification_important", "payments_moneyalert"),
                _item(_("Stripe events"), "webhook", "payments_stripeevent"),
                _item(_("Reconciliation"), "balance", "payments_reconciliation"),
            ),
            _group(
                _("Messages"),
                _item(_("Messages"), "mail", "notifications_notification"),
            ),
            _group(
                _("System"),
                _item(_("History of bookings"), "history", "bookings_bookingevent"),
                _item(_("History of settings"), "manage_history", "services_settingschange"),
                _item(_("Allocations"), "lock_clock", "bookings_allocation"),
                _item(_("Outbox"), "outbox", "core_outboxmessage"),
            ),
        ],
    },
}
