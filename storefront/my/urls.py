"""Addresses of the pages of a signed-in customer, below /my/."""

from django.urls import path

from storefront.my.views import bookings, details, privacy

urlpatterns = [
    path("", bookings.my_bookings, name="my_bookings"),
    path("details/", details.my_details, name="my_details"),
    path("messages/", details.my_messages, name="my_messages"),
    path("privacy/", privacy.my_privacy, name="my_privacy"),
    path("privacy/withdraw/", privacy.my_withdraw, name="my_withdraw"),
    path("privacy/download/", privacy.my_download, name="my_download"),
    path("privacy/erase/", privacy.my_erase, name="my_erase"),
]
