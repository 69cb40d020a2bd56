"""Public addresses. /h/ is a hold by its token, /b/ a booking by its magic link, /pay/ a booking by a cookie,
/my/ the pages of a signed-in customer, /u/ ends news to one mailbox.
"""

from django.urls import include, path, re_path, register_converter

from storefront.sign_in.views import door, security
from storefront.tokens import ReferenceConverter
from storefront.views import (
    book_by_mail,
    calendars,
    checkout,
    coming,
    landing,
    manage,
    message_choices,
    move,
    pay,
    picker,
    push,
    receipts,
    unsubscribe,
)

register_converter(ReferenceConverter, "reference")

# One booking, opened by its link (/b/) or by its signed-in customer (/my/bookings/). The views are the same.
BOOKING = [
    path("", manage.manage, name="manage"),
    path("confirmed", manage.confirmed, name="confirmed"),
    path("move", move.move, name="move"),
    path("stay", move.stay, name="stay"),
    path("cancel", manage.cancel, name="cancel"),
    path("coming", coming.coming, name="coming"),
    path("calendar.ics", calendars.calendar, name="calendar"),
    path("pay", pay.from_link, name="pay_link"),
    path("receipt/<str:number>.pdf", receipts.pdf, name="receipt_pdf"),
    path("receipt/<str:number>", receipts.receipt, name="receipt"),
]

urlpatterns = [
    path("sw.js", push.service_worker, name="service_worker"),
    re_path(r"^u/(?P<token>[^/]+)/?[^/\w]{0,3}$", unsubscribe.unsubscribe, name="unsubscribe"),
    path("", landing.landing, name="landing"),
    path("brand.css", landing.brand, name="brand"),
    path("s/<slug:slug>/", picker.picker, name="picker"),
    path("s/<slug:slug>/hold", picker.hold, name="hold"),
    path("h/<str:token>/", checkout.details, name="details"),
    path("h/<str:token>/extras", checkout.extras, name="extras"),
    path("h/<str:token>/release", checkout.release, name="release"),
    path("h/<str:token>/again", checkout.again, name="again"),
    path("my/sign-in/", door.sign_in, name="my_sign_in"),
    path("my/sign-in/code/", door.code, name="my_code"),
    path("my/sign-in/password/", door.password, name="my_password_sign_in"),
    path("my/sign-in/passkey/", door.passkey, name="my_passkey_sign_in"),
    # allauth asks for these names.
    path("my/sign-in/with/<slug:provider_id>/", door.begin_oidc, name="openid_connect_login"),
    path("my/sign-in/with/<slug:provider_id>/back/", door.finish_oidc, name="openid_connect_callback"),
    path("my/sign-out/", door.leave, name="my_sign_out"),
    path("my/security/", security.security, name="my_security"),
    path("my/security/confirm/", security.confirm, name="my_confirm"),
    path("my/security/password/", security.password, name="my_password"),
    path("my/security/passkey/", security.new_passkey, name="my_passkey_new"),
    path("my/security/passkeys/<int:authenticator_id>/remove/", security.remove_passkey, name="my_passkey_remove"),
    path("my/security/sessions/end/", security.end_other_sessions, name="my_sessions_end"),
    path("my/security/sessions/<int:session_id>/end/", security.end_session, name="my_session_end"),
    path("b/<str:token>/", include(BOOKING)),
    path("b/<str:token>/book", book_by_mail.book_by_mail, name="book_by_mail"),
    path("b/<str:token>/messages", message_choices.message_choices, name="message_choices"),
    path("b/<str:token>/push", push.push, name="push"),
    path("my/", include("storefront.my.urls")),
    # After /b/, so that the address of a page is made of the reference where ``token`` is one.
    path("my/bookings/<reference:token>/", include(BOOKING)),
    path("pay/<str:reference>/", pay.pay, name="pay"),
    path("pay/<str:reference>/state", pay.state, name="pay_state"),
    path("pay/<str:reference>/start", pay.start, name="pay_start"),
    path("pay/<str:reference>/check", pay.check, name="pay_check"),
    path("pay/<str:reference>/return", pay.came_back, name="pay_return"),
    path("pay/<str:reference>/back", pay.leave, name="pay_back"),
    path("pay/<str:reference>/again", pay.again, name="pay_again"),
    path("pay/<str:reference>/help", pay.ask_desk, name="pay_help"),
    # Characters that mail programs append to an address: a full stop, a bracket, a quotation mark.
    re_path(r"^b/(?P<token>[^/]+)/(?P<rest>[.,;:!?=*\)\]>}'\"”’»…]{1,3})$", manage.trimmed, name="manage_trimmed"),
]
