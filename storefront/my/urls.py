"""Addresses of the pages of a signed-in customer, below /my/."""

from django.urls import path

from storefront.my import details, privacy_views, views

urlpatterns = [
    path("", views.my_bookings, name="my_bookings"),
    path("details/", details.my_details, name="my_details"),
    path("messages/", details.my_messages, name="my_messages"),
    path("privacy/", privacy_views.my_privacy, name="my_privacy"),
    path("privacy/withdraw/", privacy_views.my_withdraw, name="my_withdraw"),
    path("privacy/download/", privacy_views.my_download, name="my_download"),
    path("privacy/erase/", privacy_views.my_erase, name="my_erase"),
]
