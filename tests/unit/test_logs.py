"""Logs: tokens are masked anywhere in a line, and each line has the request id."""

import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.logs import AddRequestId, MaskTokens, UtcFormatter, masked, request_id
from core.references import new_token


@pytest.fixture(autouse=True)
def outside_any_request() -> None:
    """Whatever request an earlier test of this process made, its number is over."""
    request_id.set("-")


TOKEN = "K7M4PXcAbC-dEf_0123456789012345678901234567890123"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"/b/{TOKEN}/", "/b/…/"),
        (f"/h/{TOKEN}", "/h/…"),
        (f"https://book.example.com/b/{TOKEN}/cancel?x=1", "https://book.example.com/b/…/cancel?x=1"),
        (f"one /b/{TOKEN}/ and /h/{TOKEN}/ two", "one /b/…/ and /h/…/ two"),
        (f'"GET /b/{TOKEN} HTTP/1.1"', '"GET /b/… HTTP/1.1"'),
        (f"<https://book.example.com/u/{TOKEN}>", "<https://book.example.com/u/…"),
        (
            "/pay/K7M4PX/return?payment_intent_client_secret=pi_1_secret_2&x=1",
            "/pay/K7M4PX/return?payment_intent_client_secret=…&x=1",
        ),
        ("https://map.example/?q=Lindenstrasse", "https://map.example/?q=Lindenstrasse"),
        ("/b/", "/b/"),
        ("/s/deep-tissue-massage/", "/s/deep-tissue-massage/"),
        ("nothing here", "nothing here"),
    ],
)
def test_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


@given(st.sampled_from(["/b/", "/h/"]), st.text(max_size=20), st.text(max_size=20))
def test_no_token_survives(prefix: str, before: str, after: str) -> None:
    token = new_token()

    assert token not in masked(f"{before}{prefix}{token}/{after}")


def written(record: logging.LogRecord) -> str:
    MaskTokens().filter(record)
    AddRequestId().filter(record)
    return UtcFormatter("%(asctime)s [%(request_id)s] %(message)s").format(record)


def record(message: str, *args: object, exc_info: object = None) -> logging.LogRecord:
    made = logging.LogRecord("test", logging.ERROR, "x.py", 1, message, args, exc_info)  # type: ignore[arg-type]
    made.created = 0
    made.msecs = 0
    return made


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("/desk/?on=2027-01-05&q=Jana+Weber HTTP/1.1", "/desk/?on=2027-01-05&q=… HTTP/1.1"),
        ("/admin/accounts/customer/?q=jana@example.com&p=1", "/admin/accounts/customer/?q=…&p=1"),
        ("/desk/?q=", "/desk/?q="),
        (
            "/desk/bookings/K7M4PX/?back=%2Fdesk%2Fbookings%2F%3Fq%3Djana%2540example.com%26sort%3Dprice HTTP/1.1",
            "/desk/bookings/K7M4PX/?back=%2Fdesk%2Fbookings%2F%3Fq%3D…%26sort%3Dprice HTTP/1.1",
        ),
    ],
)
def test_what_was_searched_for_is_not_logged(address: str, expected: str) -> None:
    assert written(record("GET %s", address)).endswith(f"GET {expected}")


def test_arguments_are_masked_and_time_is_utc() -> None:
    assert written(record("Not Found: %s", f"/b/{TOKEN}/")) == "1970-01-01 00:00:00,000 [-] Not Found: /b/…/"


HOLD = "cAbC-dEf_0123456789012345678901234567890123"


@pytest.mark.parametrize(
    "address",
    [
        f"/b//{TOKEN}",
        f"/B/{TOKEN}",
        f'/b/"{TOKEN}',
        f"/b/%22{TOKEN}",
        f"/b/%C2%A0{TOKEN}",
        f"/b/ {TOKEN}",
        f"/b/#{TOKEN}",
        f"/b/?{TOKEN}",
        f"/b;{TOKEN}",
        f"/pay/{TOKEN}/",
        f"/desk/bookings/{TOKEN}/",
        f"?next=%2Fb%2F{TOKEN}",
        f"/h//{HOLD}",
        f"{HOLD}",
        f"/U/{'0123456789abcdef' * 4}",
    ],
)
def test_a_token_is_known_by_its_shape(address: str) -> None:
    line = written(record("GET %s", address))

    assert not any(secret[8:] in line for secret in (TOKEN, HOLD, "0123456789abcdef" * 4))


@pytest.mark.parametrize("word", ["tests.unit.test_logs.test_a_long_name_of_a_python_function_stays", "a" * 60])
def test_a_long_word_is_no_token(word: str) -> None:
    assert masked(word) == word


@pytest.mark.parametrize("control", ["\n", "\r\n", "\x1b[31m", "\x08", "\x00", "\x85", "\u2028", "\u202e"])
def test_a_client_cannot_begin_a_line_or_steer_a_terminal(control: str) -> None:
    line = written(record('"GET %s HTTP/1.1" %d', f"/x{control}2026-11-28 16:00:00,000 ERROR FORGED", 404))

    assert len(line.splitlines()) == 1
    assert control not in line
    assert "\\x" in line


def test_a_client_cannot_begin_a_line_within_a_traceback() -> None:
    try:
        raise ValueError("bad\n2026-11-28 ERROR FORGED\x1b[31m")
    except ValueError:
        line = written(record("failed", exc_info=sys.exc_info()))

    assert "\n  2026-11-28 ERROR FORGED\\x1b" in line
    assert all(each.startswith("  ") for each in line.split("\n")[1:])


def test_tracebacks_are_masked() -> None:
    try:
        raise ValueError(f"no page for /h/{TOKEN}/")
    except ValueError:
        line = written(record("failed", exc_info=sys.exc_info()))

    assert "no page for /h/…/" in line
    assert TOKEN not in line


def test_lines_carry_the_number_of_the_request() -> None:
    token = request_id.set("1a2b3c4d")
    try:
        assert "[1a2b3c4d] hello" in written(record("hello"))
    finally:
        request_id.reset(token)
