"""Webhook URLs that Twilio and mail providers call by POST."""

from django.urls import path

from notifications.views import mail, twilio

urlpatterns = [
    path("twilio/status", twilio.twilio_status, name="twilio_status"),
    path("twilio/inbound", twilio.twilio_inbound, name="twilio_inbound"),
    path("mail/events", mail.mail_events, name="mail_events"),
]
