"""Customers choose their messages by the link in an e-mail, without signing in."""

import json

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import ChannelChoice, Consent, Customer, QuietHours
from accounts.operations import MARKETING_CONSENT
from bookings.links import LinkRole
from bookings.models import Booking
from notifications.devices import DEVICES_OF_A_PERSON
from notifications.enums import Channel, SuppressionReason
from notifications.models import PushSubscription, Suppression
from notifications.unsubscribing import unsubscribe_token
from tests.factories import Studio
from tests.journeys import booked
from tests.web.conftest import StoppedClock, link

pytestmark = pytest.mark.django_db

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc:def"
KEYS = {
    "p256dh": "BC3Y7yFbuXfcJcAT9ovU9ZH36ZdMHmXuCR6DIO7GP5v3pE-LUdV05nGUbTmOJ3VC8Ch4JAdy7FvBVpG3yjGjkng",
    "auth": "mODMWBsEbNW861yOPd9qeA",
}
DEVICE = {"endpoint": ENDPOINT, "keys": KEYS}


@pytest.fixture
def booking(studio: Studio) -> Booking:
    return booked(studio)


def typed(**changes: str) -> dict[str, str]:
    return {"email": "on", "quiet_from": "1320", "quiet_until": "480", **changes}


def person(booking: Booking) -> str:
    booking.refresh_from_db()
    return f"customer:{booking.customer_id}"


def test_page_shows_what_can_be_chosen_and_changes_nothing(client: Client, booking: Booking) -> None:
    page = client.get(link(booking, "messages")).content.decode()

    for words in ("Your messages", "jana@example.com", "Reminders by e-mail", "From", "Stop all but what is needed"):
        assert words in page, words
    assert "Linden Studio may send me news and offers" in page
    assert "SMS" not in page  # this site has no account for texts
    assert not ChannelChoice.objects.exists()
    assert not Consent.objects.filter(purpose=MARKETING_CONSENT).exists()


def test_a_booking_without_a_mailbox_has_nothing_to_choose(client: Client, booking: Booking) -> None:
    Booking.objects.filter(pk=booking.pk).update(contact_email="", customer=None)

    assert link(booking, "messages") not in client.get(link(booking)).content.decode()
    assert client.get(link(booking, "messages")).status_code == 404
    assert client.post(link(booking, "messages"), typed()).status_code == 404
    assert client.post(link(booking, "push"), DEVICE, content_type="application/json").status_code == 404


def test_the_link_on_the_screen_says_that_only_the_mail_opens_the_choices(client: Client, booking: Booking) -> None:
    address = link(booking, "messages", LinkRole.GUEST)

    for response in (client.get(address), client.post(address, typed(news="on"))):
        page = response.content.decode()
        assert response.status_code == 403
        assert "Your messages open from your e-mail only" in page
        assert "jana@example.com" not in page
    assert not ChannelChoice.objects.exists()
    assert client.get(link(booking, "messages", LinkRole.STAFF)).status_code == 404


def test_quiet_hours_that_end_when_they_begin_are_refused_and_stay_as_typed(client: Client, booking: Booking) -> None:
    sent = typed(is_quiet="on", quiet_from="1320", quiet_until="1320")

    response = client.post(link(booking, "messages"), sent)
    page = response.content.decode()

    assert response.status_code == 422
    assert "The quiet hours end when they begin." in page
    assert response.context["form"]["is_quiet"].value()
    assert not QuietHours.objects.exists()


def test_choices_are_kept_for_the_owner_of_the_mailbox(client: Client, booking: Booking) -> None:
    response = client.post(link(booking, "messages"), typed(is_quiet="on", news="on", email=""))

    assert (response.status_code, response["Location"]) == (303, link(booking, "messages"))
    owner = person(booking)
    assert list(ChannelChoice.objects.values_list("person_ref", "channel", "is_on")) == [(owner, "email", False)]
    quiet = QuietHours.objects.get(person_ref=owner)
    assert (quiet.start_minute, quiet.end_minute, quiet.time_zone) == (1320, 480, "Europe/Berlin")
    consent = Consent.objects.get(purpose=MARKETING_CONSENT)
    assert consent.customer_id == booking.customer_id
    assert consent.text == (
        "Linden Studio may send me news and offers and ask how a visit was. I can end this at any time."
    )
    assert Customer.objects.get(pk=booking.customer_id).email_proven_at is not None
    page = client.get(link(booking, "messages")).content.decode()
    assert page.count(" checked") == 2
    assert "Your choice is kept." in page


def test_choosing_twice_keeps_one_of_each_and_leaving_out_ends_it(client: Client, booking: Booking) -> None:
    for _ in range(2):
        client.post(link(booking, "messages"), typed(is_quiet="on", news="on"))
    assert Consent.objects.filter(purpose=MARKETING_CONSENT, withdrawn_at=None).count() == 1

    client.post(link(booking, "messages"), typed())

    assert not QuietHours.objects.exists()
    assert [given.withdrawn_at is None for given in Consent.objects.filter(purpose=MARKETING_CONSENT)] == [False]


def test_one_press_stops_all_but_what_is_needed(client: Client, booking: Booking) -> None:
    client.post(link(booking, "messages"), typed(news="on"))

    client.post(link(booking, "messages"), {"stop": "1"})

    assert dict(ChannelChoice.objects.values_list("channel", "is_on")) == dict.fromkeys(Channel.values, False)
    assert not Consent.objects.filter(purpose=MARKETING_CONSENT, withdrawn_at=None).exists()


@pytest.mark.parametrize("values", [{"quiet_from": "x"}, {"quiet_until": "17"}, {"quiet_from": "1500"}])
def test_times_that_are_not_offered_are_refused(client: Client, booking: Booking, values: dict[str, str]) -> None:
    response = client.post(link(booking, "messages"), typed(is_quiet="on", **values))

    assert response.status_code == 422
    assert not ChannelChoice.objects.exists()


def test_only_the_link_of_the_mailbox_opens_it(client: Client, booking: Booking) -> None:
    for page, role, status in (
        ("messages", LinkRole.GUEST, 403),
        ("messages", LinkRole.STAFF, 404),
        ("push", LinkRole.GUEST, 404),
        ("push", LinkRole.STAFF, 404),
    ):
        path = link(booking, page, role)
        assert client.get(path).status_code in {status, 405}
        assert client.post(path, typed(), content_type="application/json").status_code == status
    assert not ChannelChoice.objects.exists()
    assert "Choose your messages" in client.get(link(booking)).content.decode()
    assert "Choose your messages" not in client.get(link(booking, role=LinkRole.GUEST)).content.decode()


def test_asking_for_news_again_takes_back_the_unsubscribing(client: Client, booking: Booking) -> None:
    client.post(link(booking, "messages"), typed(news="on"))
    client.post(f"/u/{unsubscribe_token(booking.contact_email)}", {"List-Unsubscribe": "One-Click"})
    assert 'name="news" id="id_news"' in client.get(link(booking, "messages")).content.decode()
    assert 'id_news" checked' not in client.get(link(booking, "messages")).content.decode()

    client.post(link(booking, "messages"), typed(news="on"))

    assert not Suppression.objects.exists()


def test_news_do_not_reopen_a_mailbox_that_bounced(client: Client, booking: Booking, studio: Studio) -> None:
    client.post(f"/u/{unsubscribe_token(booking.contact_email)}", {"List-Unsubscribe": "One-Click"})
    Suppression.objects.update(reason=SuppressionReason.BOUNCED)

    client.post(link(booking, "messages"), typed(news="on"))

    assert Suppression.objects.get().reason == SuppressionReason.BOUNCED


# --- one click -----------------------------------------------------------------------------------------------------


def test_unsubscribing_by_one_click_needs_no_cookie_and_no_page(stranger: Client, studio: Studio) -> None:
    path = f"/u/{unsubscribe_token('Jana@Example.com')}"

    answers = [stranger.post(path, {"List-Unsubscribe": "One-Click"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    row = Suppression.objects.get()
    assert (row.channel, row.reason) == ("email", "unsubscribed")
    assert "jana" not in row.address_hash
    assert "You get no more news from us" in stranger.get(path).content.decode()


@pytest.mark.parametrize("hung_on", [".", ",", ")", ">", "/", "/.", "/)", "%C2%BB", "%20"])
def test_what_hangs_on_the_end_of_the_link_does_not_matter(stranger: Client, studio: Studio, hung_on: str) -> None:
    path = f"/u/{unsubscribe_token('Jana@Example.com')}{hung_on}"

    assert stranger.get(path).status_code == 200
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Suppression.objects.exists()


def test_looking_at_the_link_ends_nothing(stranger: Client, studio: Studio) -> None:
    path = f"/u/{unsubscribe_token('jana@example.com')}"

    page = stranger.get(path, headers={"user-agent": "Mail scanner"})
    stranger.head(path)
    stranger.options(path)
    stranger.post(path, {"other": "thing"})

    assert 'name="List-Unsubscribe" value="One-Click"' in page.content.decode()
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: token[::-1], lambda token: token.upper()])
def test_a_link_that_is_not_exactly_ours_opens_nothing(stranger: Client, studio: Studio, change: object) -> None:
    path = f"/u/{change(unsubscribe_token('jana@example.com'))}"  # type: ignore[operator]

    assert stranger.get(path).status_code == 404
    assert stranger.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert not Suppression.objects.exists()


# --- devices -------------------------------------------------------------------------------------------------------


def test_a_device_is_kept_for_the_owner_of_the_mailbox(client: Client, booking: Booking) -> None:
    for _ in range(2):
        assert client.post(link(booking, "push"), DEVICE, content_type="application/json").status_code == 204

    device = PushSubscription.objects.get()
    assert (device.person_ref, device.endpoint) == (person(booking), ENDPOINT)
    assert ChannelChoice.objects.get().is_on


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "[]",
        "[" * 2000,
        "{}",
        json.dumps({"endpoint": ENDPOINT, "keys": {"p256dh": "no spaces here", "auth": "x"}}),
        json.dumps({"endpoint": "x" * 1001, "keys": {"p256dh": "x", "auth": "x"}}),
    ],
)
def test_what_no_browser_sends_is_refused(client: Client, booking: Booking, sent: str) -> None:
    assert client.post(link(booking, "push"), sent, content_type="application/json").status_code == 400
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://169.254.169.254/latest",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com.example/x",
        "https://user@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://[::1/x",
        # Sending reads the host only up to the backslash.
        "https://10.0.0.1\\.fcm.googleapis.com/x",
        "https://fcm.googleapis.com/\ud800",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/a\tb",
        "https://fcm.googleapis.com",
    ],
)
def test_only_push_services_are_called(client: Client, booking: Booking, endpoint: str) -> None:
    sent = {**DEVICE, "endpoint": endpoint}

    assert client.post(link(booking, "push"), sent, content_type="application/json").status_code == 422
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize("changed", [{"p256dh": "BNcRd_-8"}, {"p256dh": "B" + "A" * 86}, {"auth": "tBHItJI5"}])
def test_a_device_that_nothing_could_be_encrypted_for_is_refused(
    client: Client, booking: Booking, changed: dict[str, str]
) -> None:
    sent = {"endpoint": ENDPOINT, "keys": KEYS | changed}

    assert client.post(link(booking, "push"), sent, content_type="application/json").status_code == 422
    assert not PushSubscription.objects.exists()


def test_of_too_many_devices_the_oldest_is_forgotten(client: Client, booking: Booking, stopped: StoppedClock) -> None:
    for number in range(DEVICES_OF_A_PERSON + 1):
        stopped.pass_minutes(1)
        sent = {**DEVICE, "endpoint": f"{ENDPOINT}{number}"}
        assert client.post(link(booking, "push"), sent, content_type="application/json").status_code == 204

    kept = set(PushSubscription.objects.values_list("endpoint", flat=True))
    assert kept == {f"{ENDPOINT}{number}" for number in range(1, DEVICES_OF_A_PERSON + 1)}


def test_a_device_needs_the_token_against_forgery(stranger: Client, booking: Booking) -> None:
    assert stranger.post(link(booking, "push"), DEVICE, content_type="application/json").status_code == 403
    assert not PushSubscription.objects.exists()


def test_the_button_is_there_only_where_the_site_can_send(client: Client, booking: Booking, settings: Settings) -> None:
    assert "data-push" not in client.get(link(booking)).content.decode()
    settings.VAPID_PRIVATE_KEY = "A" * 42 + "E"

    page = client.get(link(booking)).content.decode()

    assert 'data-push-key="B' in page
    assert "data-push" not in client.get(link(booking, role=LinkRole.GUEST)).content.decode()


def test_the_service_worker_is_served_from_the_root(client: Client) -> None:
    response = client.get("/sw.js")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert b"showNotification" in response.content
