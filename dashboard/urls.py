"""Addresses of the desk. Each has its row in the table of ``bookings.permissions``."""

from django.urls import path

from dashboard.views import booking, day, payments, sign_in

urlpatterns = [
    path("", day.day, name="desk"),
    path("sign-in", sign_in.SignIn.as_view(), name="desk_sign_in"),
    path("sign-out", sign_in.SignOut.as_view(), name="desk_sign_out"),
    path("bookings/<str:reference>/", booking.booking, name="desk_booking"),
    path("payments/", payments.payments, name="desk_payments"),
    path("payments/payments.csv", payments.payments_csv, name="desk_payments_csv"),
]
