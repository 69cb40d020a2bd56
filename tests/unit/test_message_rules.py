"""The pure rules of messages: quiet hours, keywords, provider reports, phone numbers, the gate."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.channels.twilio_errors import refusal
from notifications.enums import Channel, NotificationStatus, RecipientRole, SuppressionReason
from notifications.gate import Facts, Quiet, TextCounts, verdict
from notifications.quiet_hours import quiet_until
from notifications.reports.progress import Report, mail_report, next_status, twilio_report
from notifications.rules import FALLBACK, Rules
from notifications.text_refusal import text_refusal

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = {"start_minute": 22 * 60, "end_minute": 7 * 60, "zone": BERLIN}
Status = NotificationStatus


def berlin(day: int, hour: int, minute: int = 0, *, month: int = 6, fold: int = 0) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=BERLIN, fold=fold).astimezone(UTC)


# --- quiet hours ---


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (berlin(10, 21, 59), None),
        (berlin(10, 22), berlin(11, 7)),
        (berlin(10, 23, 59), berlin(11, 7)),
        (berlin(11, 0), berlin(11, 7)),
        (berlin(11, 6, 59), berlin(11, 7)),
        (berlin(11, 7), None),
        (berlin(11, 12), None),
    ],
)
def test_a_night_goes_past_midnight(now: datetime, until: datetime | None) -> None:
    assert quiet_until(now, **NIGHT) == until


def test_quiet_hours_within_a_day() -> None:
    nap = {"start_minute": 13 * 60, "end_minute": 14 * 60, "zone": BERLIN}

    assert quiet_until(berlin(10, 13, 30), **nap) == berlin(10, 14)
    assert quiet_until(berlin(10, 14), **nap) is None
    assert quiet_until(berlin(10, 12, 59), **nap) is None


def test_equal_ends_mean_no_quiet_hours() -> None:
    assert quiet_until(berlin(10, 8), start_minute=480, end_minute=480, zone=BERLIN) is None


def test_the_zone_is_the_persons() -> None:
    seoul = ZoneInfo("Asia/Seoul")

    assert quiet_until(berlin(10, 15), start_minute=1320, end_minute=420, zone=seoul) == datetime(
        2027, 6, 11, 7, tzinfo=seoul
    ).astimezone(UTC)
    assert quiet_until(berlin(10, 15), **NIGHT) is None


def test_an_end_in_the_hour_that_is_skipped_comes_when_the_clocks_have_skipped_it() -> None:
    # Sunday 28 March 2027: 2:00 becomes 3:00.
    until = quiet_until(berlin(28, 1, month=3), start_minute=1320, end_minute=150, zone=BERLIN)

    assert until == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_an_end_in_the_hour_that_is_repeated_is_the_next_one_to_come() -> None:
    # Sunday 31 October 2027: 3:00 becomes 2:00.
    hours = {"start_minute": 1320, "end_minute": 150, "zone": BERLIN}

    assert quiet_until(berlin(31, 1, month=10), **hours) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert quiet_until(berlin(31, 2, 10, month=10, fold=1), **hours) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@given(
    st.integers(0, 2 * 366 * 1440).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(0, 1439),
    st.integers(0, 1439),
)
def test_the_end_is_ahead_and_never_quiet_itself_for_long(now: datetime, start: int, end: int) -> None:
    until = quiet_until(now, start_minute=start, end_minute=end, zone=BERLIN)

    if until is not None:
        assert now < until <= now + timedelta(hours=25)
        later = quiet_until(until, start_minute=start, end_minute=end, zone=BERLIN)
        # Only the repeated hour can be quiet twice.
        assert later is None or later - until <= timedelta(hours=1)


# --- what providers report ---


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
def test_a_status_never_goes_back_whatever_the_order(order: tuple[str, ...]) -> None:
    status: str = Status.SENDING
    for said in (*order, *order):
        report = twilio_report(said)
        assert report
        status = next_status(status, report) or status

    assert status == Status.DELIVERED


@pytest.mark.parametrize(
    "final", [Status.DELIVERED, Status.PERMANENT_FAILURE, Status.CANCELLED, Status.TECHNICAL_FAILURE]
)
@pytest.mark.parametrize("report", list(Report))
def test_an_end_is_an_end(final: str, report: Report) -> None:
    assert next_status(final, report) is None


def test_only_what_tells_of_delivery_is_read() -> None:
    assert (twilio_report("undelivered"), twilio_report("Delivered"), twilio_report("made up")) == (
        Report.FAILED,
        Report.DELIVERED,
        None,
    )
    assert (mail_report("bounced"), mail_report("delivered"), mail_report("opened")) == (
        Report.FAILED,
        Report.DELIVERED,
        None,
    )


def test_codes_become_words_for_staff() -> None:
    assert str(refusal(21614)) == "This phone number cannot receive SMS. (21614)"
    assert refusal(21614).suppression == SuppressionReason.UNREACHABLE
    assert refusal(21610).suppression == SuppressionReason.STOP
    assert (str(refusal(None)), refusal(None).suppression) == ("Twilio refused the message.", None)


# --- numbers ---


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+4915155501827", None),
        ("+49900123456", "This phone number cannot receive SMS."),
        ("+493090182000", "This phone number cannot receive SMS."),
        ("+881612345678", "This phone number cannot receive SMS."),
        ("123", "This is not a phone number."),
        ("+447400123456", "SMS_COUNTRIES does not allow texts to GB."),
    ],
)
def test_only_phones_of_allowed_countries_are_texted(number: str, words: str | None) -> None:
    assert text_refusal(number, ["DE"]) == words


# --- rules ---


def test_defaults_are_mail_and_push_and_the_usual_reminders() -> None:
    rules = Rules({})

    assert rules.is_on("confirmed", RecipientRole.CUSTOMER, Channel.EMAIL)
    assert not rules.is_on("confirmed", RecipientRole.CUSTOMER, Channel.SMS)
    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.EMAIL) == [1440, 60]
    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.SMS) == []
    assert rules.offsets("review_request", RecipientRole.CUSTOMER, Channel.EMAIL) == []
    assert rules.is_on(FALLBACK, RecipientRole.CUSTOMER, Channel.SMS)


def test_rows_win_over_defaults() -> None:
    rules = Rules(
        {
            ("reminder", "customer", "email", 60): False,
            ("reminder", "customer", "sms", 120): True,
            ("confirmed", "customer", "email", None): False,
        }
    )

    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.EMAIL) == [1440]
    assert rules.offsets("reminder", RecipientRole.CUSTOMER, Channel.SMS) == [120]
    assert not rules.is_on("confirmed", RecipientRole.CUSTOMER, Channel.EMAIL)


# --- the gate ---


@dataclass
class Message:
    channel: str = "email"
    address: str = "casey@example.com"
    recipient_ref: str = "customer:1"
    purpose: str = "service"
    can_wait: bool = False
    expires_at: datetime | None = None


NOW = berlin(10, 23)
TEXT = {"channel": "sms", "address": "pseudonym"}


def decided(message: Message, facts: Facts | None = None, *, texts: TextCounts | None = None) -> tuple[str | None, str]:
    found = verdict(
        message, facts or Facts(), NOW, texts=texts or TextCounts(), limits=TextCounts(to_address=5, of_site=100)
    )
    return found.status, found.reason


def test_an_ordinary_message_goes() -> None:
    assert decided(Message()) == (None, "")


@pytest.mark.parametrize(
    ("values", "facts", "status"),
    [
        ({"expires_at": NOW}, Facts(), "cancelled"),
        ({}, Facts(erased=["customer:1"]), "cancelled"),
        (TEXT, Facts(suppressed={("sms", "pseudonym"): "stop"}), "cancelled"),
        (TEXT, Facts(suppressed={("sms", "pseudonym"): "unreachable"}), "permanent-failure"),
        (
            {},
            Facts(hashes={("email", "casey@example.com"): "p"}, suppressed={("email", "p"): "bounced"}),
            "permanent-failure",
        ),
        ({}, Facts(hashes={("email", "casey@example.com"): "p"}, suppressed={("email", "p"): "unsubscribed"}), None),
        (TEXT, Facts(choices={("customer:1", "sms"): False}), "cancelled"),
        ({"can_wait": True}, Facts(choices={("customer:1", "email"): False}), "cancelled"),
        # What was agreed has to reach them somewhere.
        ({}, Facts(choices={("customer:1", "email"): False}), None),
        ({"purpose": "marketing"}, Facts(), "cancelled"),
        ({"purpose": "marketing"}, Facts(consenting=["customer:1"]), None),
        ({"purpose": "marketing"}, Facts(consenting=["customer:1"], blocked=["customer:1"]), "cancelled"),
        ({}, Facts(blocked=["customer:1"]), None),
        ({"can_wait": True}, Facts(blocked=["customer:1"]), "cancelled"),
    ],
)
def test_each_reason_against_a_message(values: dict[str, object], facts: Facts, status: str | None) -> None:
    assert decided(Message(**values), facts)[0] == status  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("to_address", "of_site", "status"), [(4, 99, None), (5, 0, "cancelled"), (0, 100, "permanent-failure")]
)
def test_texts_are_counted(to_address: int, of_site: int, status: str | None) -> None:
    texts = TextCounts(to_address, of_site)

    assert decided(Message(**TEXT), texts=texts)[0] == status  # type: ignore[arg-type]
    assert decided(Message(), texts=texts)[0] is None


def test_what_can_wait_waits_for_the_morning_and_nothing_else_does() -> None:
    facts = Facts(quiet={"customer:1": Quiet(1320, 420, BERLIN)})

    def until(**values: object) -> datetime | None:
        message = Message(**values)  # type: ignore[arg-type]
        return verdict(message, facts, NOW, texts=TextCounts(), limits=TextCounts(5, 5)).until

    assert until(can_wait=True) == berlin(11, 7)
    assert until(can_wait=False) is None
    assert until(can_wait=True, recipient_ref="customer:2") is None
    assert decided(Message(can_wait=True, expires_at=berlin(11, 7)), facts)[0] == "cancelled"
    assert decided(Message(can_wait=True, expires_at=berlin(11, 7, 1)), facts)[0] is None
