"""Public addresses. /h/ is a hold by its token, /b/ a booking by its magic link, /pay/ a booking by a cookie,
/u/ ends news to one mailbox.
"""

from django.urls import path, re_path

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
    path("b/<str:token>/", manage.manage, name="manage"),
    path("b/<str:token>/confirmed", manage.confirmed, name="confirmed"),
    path("b/<str:token>/book", book_by_mail.book_by_mail, name="book_by_mail"),
    path("b/<str:token>/move", move.move, name="move"),
    path("b/<str:token>/stay", move.stay, name="stay"),
    path("b/<str:token>/cancel", manage.cancel, name="cancel"),
    path("b/<str:token>/coming", coming.coming, name="coming"),
    path("b/<str:token>/messages", message_choices.message_choices, name="message_choices"),
    path("b/<str:token>/push", push.push, name="push"),
    path("b/<str:token>/calendar.ics", calendars.calendar, name="calendar"),
    path("b/<str:token>/pay", pay.from_link, name="pay_link"),
    path("b/<str:token>/receipt/<str:number>.pdf", receipts.pdf, name="receipt_pdf"),
    path("b/<str:token>/receipt/<str:number>", receipts.receipt, name="receipt"),
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
