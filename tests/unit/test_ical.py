"""Calendar entries open right in two independent parsers, whatever stands in them and whichever night it is."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from bookings.calendars.ical import Entry, Mailbox, Method, invite, organised_for, paragraphs, uid
from core.lines import one_line

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
JANA = Mailbox("Jana Weber", "jana@example.com")
HOSTILE = [
    "a; b, c\\d",
    'He said "now"',
    "two\r\nEND:VEVENT\r\nBEGIN:VEVENT",
    "tab\tbell\x07nul\x00del\x7f",
    "line\u2028separator\u2029paragraph\u0085next",
    "日本語のとても長い名前" * 12,
    "👩‍👩‍👧 e\u0301 ü",
    "مرحبا بالعالم",
    "BEGIN:VALARM;X=^n^'",
    "x" * 500,
]


def entry(**values: object) -> Entry:
    return Entry(
        **{
            "uid": "k7m4px-customer@book.example.com",
            "sequence": 0,
            "starts_at": datetime(2026, 11, 27, 13, 30, tzinfo=UTC),
            "ends_at": datetime(2026, 11, 27, 14, 40, tzinfo=UTC),
            "summary": "Deep tissue massage, 60 min · Linden Studio",
            "location": "Kreuzberg, Lindenstraße 14",
            "description": "Move or cancel: https://book.example.com/b/K7M4PXc123/\nReference K7M 4PX",
            "url": "https://book.example.com/b/K7M4PXc123/",
            "organizer": Mailbox("Linden Studio", "hello@linden.example"),
            "sent_by": "bookings@openhours.example",
            **values,
        }  # type: ignore[arg-type]
    )


def parsed(content: bytes) -> icalendar.Event:
    calendar = icalendar.Calendar.from_ical(content)
    assert [part.name for part in calendar.walk()] == ["VCALENDAR", "VEVENT"]
    assert calendar.errors == []
    return calendar.walk("VEVENT")[0]  # type: ignore[return-value]


def parsed_by_vobject(content: bytes) -> object:
    calendar = vobject.readOne(content.decode())
    calendar.validate()
    assert len(list(calendar.getChildren())) == len({child.name for child in calendar.getChildren()})
    return calendar.vevent


def test_a_request_names_the_appointment_the_business_and_its_one_recipient() -> None:
    content = invite(entry(sequence=3), Method.REQUEST, attendee=JANA, now=NOW)

    event = parsed(content)
    attendee = event["attendee"]
    organizer = event["organizer"]
    assert b"\r\nMETHOD:REQUEST\r\n" in content
    assert event["uid"] == "k7m4px-customer@book.example.com"
    assert event["sequence"] == 3
    assert event["status"] == "CONFIRMED"
    assert event["dtstart"].dt == datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
    assert event["dtend"].dt == datetime(2026, 11, 27, 14, 40, tzinfo=UTC)
    assert event["dtstamp"].dt == NOW
    assert event["url"] == "https://book.example.com/b/K7M4PXc123/"
    assert str(attendee) == "mailto:jana@example.com"
    assert (attendee.params["CN"], attendee.params["PARTSTAT"]) == ("Jana Weber", "ACCEPTED")
    assert str(organizer) == "mailto:hello@linden.example"
    assert organizer.params["SENT-BY"] == "mailto:bookings@openhours.example"


def test_a_cancellation_frees_the_time_under_the_same_name() -> None:
    request = parsed(invite(entry(), Method.REQUEST, attendee=JANA, now=NOW))
    content = invite(entry(sequence=1), Method.CANCEL, attendee=JANA, now=NOW)

    event = parsed(content)
    assert b"\r\nMETHOD:CANCEL\r\n" in content
    assert event["uid"] == request["uid"]
    assert event["sequence"] > request["sequence"]
    assert (event["status"], event["transp"]) == ("CANCELLED", "TRANSPARENT")


def test_a_published_entry_names_nobody() -> None:
    content = invite(entry(), Method.PUBLISH, now=NOW)

    assert b"\r\nMETHOD:PUBLISH\r\n" in content
    assert "attendee" not in parsed(content)


@pytest.mark.parametrize(("method", "attendee"), [(Method.PUBLISH, JANA), (Method.REQUEST, None)])
def test_a_wrong_attendee_is_refused(method: Method, attendee: Mailbox | None) -> None:
    with pytest.raises(ValueError, match="attendee"):
        invite(entry(), method, attendee=attendee, now=NOW)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        invite(entry(starts_at=datetime(2026, 11, 27, 13, 30)), Method.PUBLISH, now=NOW)  # noqa: DTZ001


def test_the_organizer_is_not_sent_by_itself() -> None:
    own = Mailbox("Linden", "Bookings@Openhours.example")

    event = parsed(invite(entry(organizer=own), Method.REQUEST, attendee=JANA, now=NOW))

    assert "SENT-BY" not in event["organizer"].params


@pytest.mark.parametrize(
    ("zone", "start", "minutes"),
    [
        ("Europe/Berlin", (2026, 3, 29, 1, 30, 0), 60),  # over the skipped hour
        ("Europe/Berlin", (2026, 10, 25, 2, 30, 0), 60),  # first 02:30 of that night
        ("Europe/Berlin", (2026, 10, 25, 2, 30, 1), 60),  # second 02:30
        ("America/New_York", (2026, 11, 1, 1, 30, 0), 90),
        ("Australia/Lord_Howe", (2026, 4, 5, 1, 45, 1), 45),
        ("Asia/Kathmandu", (2026, 6, 1, 9, 0, 0), 60),
        ("Pacific/Apia", (2026, 12, 31, 23, 45, 0), 30),
    ],
)
def test_the_instant_survives_in_every_zone(zone: str, start: tuple[int, ...], minutes: int) -> None:
    *parts, fold = start
    starts_at = datetime(*parts, fold=fold, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type,misc]
    starts_utc = starts_at.astimezone(UTC)
    ends_at = (starts_utc + timedelta(minutes=minutes)).astimezone(ZoneInfo(zone))

    content = invite(entry(starts_at=starts_at, ends_at=ends_at), Method.REQUEST, attendee=JANA, now=NOW)

    for start_read, end_read in (
        (parsed(content)["dtstart"].dt, parsed(content)["dtend"].dt),
        (parsed_by_vobject(content).dtstart.value, parsed_by_vobject(content).dtend.value),  # type: ignore[attr-defined]
    ):
        assert start_read.astimezone(UTC) == starts_utc
        assert end_read - start_read == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_equal_and_add_nothing(text: str) -> None:
    content = invite(
        entry(summary=text, location=text, description=text, organizer=Mailbox(text, "hello@linden.example")),
        Method.REQUEST,
        attendee=Mailbox(text, "jana@example.com"),
        now=NOW,
    )

    event = parsed(content)
    assert event["summary"] == one_line(text)
    assert event["location"] == one_line(text)
    assert event["description"] == paragraphs(text)
    assert event["attendee"].params["CN"] == one_line(text).replace('"', "'").replace("^", "")
    other = parsed_by_vobject(content)
    assert other.summary.value == one_line(text)  # type: ignore[attr-defined]
    assert other.description.value == paragraphs(text)  # type: ignore[attr-defined]


@given(st.text(max_size=300), st.text(max_size=120))
def test_any_text_comes_back_equal(text: str, name: str) -> None:
    content = invite(entry(summary=text, description=text), Method.REQUEST, attendee=Mailbox(name, "j@e.com"), now=NOW)

    event = parsed(content)
    assert event["summary"] == one_line(text)
    assert event["description"] == paragraphs(text)
    assert event["uid"] == "k7m4px-customer@book.example.com"
    assert len(content.splitlines()) == content.count(b"\r\n")


@given(st.text(max_size=400))
def test_lines_are_folded_at_75_octets_and_characters_stay_whole(text: str) -> None:
    content = invite(entry(summary=text), Method.PUBLISH, now=NOW)

    rows = content.split(b"\r\n")
    assert max(map(len, rows)) <= 75
    for row in rows:
        row.decode()


def test_an_address_cannot_leave_its_place() -> None:
    person = Mailbox("Jana", 'a"b?cc=x@y.z;X=1:mailto:evil@example.com')

    event = parsed(invite(entry(), Method.REQUEST, attendee=person, now=NOW))

    assert str(event["attendee"]) == "mailto:a%22b%3Fcc=x@y.z%3BX=1%3Amailto%3Aevil@example.com"


def test_names_of_entries_differ_by_recipient() -> None:
    assert uid("K7M4PX", "customer", "book.example.com") == "k7m4px-customer@book.example.com"
    assert uid("K7M4PX", "staff-3", "book.example.com") == "k7m4px-staff-3@book.example.com"


def test_a_mailbox_with_letters_in_its_domain_stands_as_it_travels() -> None:
    person = Mailbox("Rita", "rita@faß.example")

    event = parsed(invite(entry(), Method.REQUEST, attendee=person, now=NOW))

    assert str(event["attendee"]) == "mailto:rita@xn--fa-hia.example"


def test_the_organizer_is_never_the_one_who_is_invited() -> None:
    owner = Mailbox("Olivia", "Hello@Linden.example")

    event = parsed(invite(organised_for(entry(), owner), Method.REQUEST, attendee=owner, now=NOW))

    assert str(event["organizer"]) == "mailto:bookings@openhours.example"
    assert "SENT-BY" not in event["organizer"].params
    assert event["organizer"].params["CN"] == "Linden Studio"
    assert organised_for(entry(), JANA) == entry()
