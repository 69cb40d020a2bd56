"""Twilio's own library against the stand-in: what Twilio's documentation promises of the Messages resource holds here.

The reports that it sends are signed as Twilio signs; the views' tests check ours against the same signature.
"""

from collections.abc import Iterator

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from devservers import twilio as stand_in
from devservers.twilio import Twilio

PHONE = "+4915155501827"


class Http(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's client, led to the stand-in."""

    base = ""

    def request(self, method: str, url: str, *args: object, **kwargs: object) -> object:
        return super().request(method, url.replace("https://api.twilio.com", self.base), *args, **kwargs)


@pytest.fixture
def server() -> Iterator[Twilio]:
    running = stand_in.start()
    running.callbacks = "off"
    yield running
    running.stop()


@pytest.fixture
def client(server: Twilio) -> Iterator[Client]:
    http = Http(timeout=5)
    http.base = server.url
    yield Client(server.account_sid, server.auth_token, http_client=http)
    http.session.close()


def code_of(client: Client, **values: object) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**values)
    return refused.value.status, refused.value.code


def test_a_message_is_created_and_listed_newest_first(client: Client, server: Twilio) -> None:
    first = client.messages.create(to=PHONE, from_=server.sender, body="One", validity_period=300)
    second = client.messages.create(to=PHONE, messaging_service_sid="MG1", body="Two", smart_encoded=False)
    client.messages.create(to="+4915155501828", from_=server.sender, body="Elsewhere")

    listed = client.messages.list(to=PHONE, limit=10)

    assert (first.status, first.direction, first.date_sent) == ("queued", "outbound-api", None)
    assert [(each.sid, each.body) for each in listed] == [(second.sid, "Two"), (first.sid, "One")]
    assert listed[0].date_created is not None
    assert client.messages.list(to=PHONE, limit=1)[0].sid == second.sid


def test_a_template_for_whatsapp(client: Client, server: Twilio) -> None:
    made = client.messages.create(
        to=f"whatsapp:{PHONE}",
        from_=f"whatsapp:{server.sender}",
        content_sid="HX1",
        content_variables='{"1": "Jana"}',
        status_callback="https://book.example.com/twilio/status",
    )

    assert "Jana" in made.body


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"to": "123", "from_": "+1", "body": "x"}, 21211),
        ({"to": PHONE, "body": "x"}, 21603),
        ({"to": PHONE, "from_": "+4915735987654"}, 21619),
        ({"to": PHONE, "from_": "+4915735987654", "body": "x" * 1601}, 21617),
        ({"to": PHONE, "from_": "+4915735987654", "body": "x", "validity_period": 36_001}, 21623),
        ({"to": f"whatsapp:{PHONE}", "from_": "+4915735987654", "body": "x"}, 63007),
    ],
)
def test_what_twilio_refuses_is_refused_with_its_code(client: Client, values: dict[str, object], code: int) -> None:
    assert code_of(client, **values) == (400, code)


def test_a_strangers_account_is_refused(client: Client, server: Twilio) -> None:
    server.auth_token = "another"

    assert code_of(client, to=PHONE, from_=server.sender, body="x") == (401, 20003)


def test_a_number_that_stopped_is_refused_until_it_starts_again(client: Client, server: Twilio) -> None:
    server._stopped.add(PHONE)
    assert code_of(client, to=PHONE, from_=server.sender, body="x") == (400, 21610)

    server._stopped.clear()
    assert client.messages.create(to=PHONE, from_=server.sender, body="x").sid
