"""Readers of the environment: a wrong value stops the start with one clear line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env

Given = Callable[[str | None], None]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    def set_value(value: str | None) -> None:
        monkeypatch.delenv("THING", raising=False)
        if value is not None:
            monkeypatch.setenv("THING", value)

    return set_value


def test_missing_value_is_named(given: Given) -> None:
    given(None)

    with pytest.raises(ImproperlyConfigured, match=r"Set THING in the environment \(see \.env\.example\)"):
        env.text("THING")


def test_value_from_a_file_wins_and_is_trimmed(given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given("plain")
    (tmp_path / "secret").write_text("from a file\n")
    monkeypatch.setenv("THING_FILE", str(tmp_path / "secret"))

    assert env.text("THING") == "from a file"


def test_unreadable_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THING_FILE", "/no/such/file")

    with pytest.raises(ImproperlyConfigured, match="THING_FILE points to /no/such/file"):
        env.text("THING")


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "on", "yes"])
def test_flag_on(given: Given, value: str) -> None:
    given(value)
    assert env.flag("THING", default=False) is True


@pytest.mark.parametrize("value", ["false", "0", "OFF", "no"])
def test_flag_off(given: Given, value: str) -> None:
    given(value)
    assert env.flag("THING", default=True) is False


@pytest.mark.parametrize("value", ["maybe", "2", "truee"])
def test_flag_refuses(given: Given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="THING must be true or false"):
        env.flag("THING", default=True)


@pytest.mark.parametrize("value", ["-1", "6", "1.5", "٣", "five"])
def test_number_refuses(given: Given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="THING must be a whole number from 0 to 5"):
        env.number("THING", 1, high=5)


def test_number_and_words(given: Given) -> None:
    given("5")
    assert env.number("THING", 1, high=5) == 5
    given(" a, b ,,c")
    assert env.words("THING") == ["a", "b", "c"]
    given(None)
    assert env.words("THING") == []


def test_short_secret_is_refused(given: Given) -> None:
    given("x" * 31)
    with pytest.raises(ImproperlyConfigured, match="THING must have at least 32 characters"):
        env.secret("THING")
    given("x" * 32)
    assert env.secret("THING") == "x" * 32


@pytest.mark.parametrize("value", ["mysql://x/y", "sqlite:///x", "localhost"])
def test_only_postgresql_is_a_database(given: Given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match="THING must be a postgresql:// address"):
        env.database("THING")


def test_database_address_is_read_whole(given: Given) -> None:
    given("postgresql://openhours_app:p%40ss@db.example.com:6432/openhours")

    read = env.database("THING")

    assert {name: read[name] for name in ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "ENGINE": "core.database",
        "NAME": "openhours",
        "USER": "openhours_app",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": 6432,
    }


@pytest.mark.parametrize("value", ["book.example.com", "ftp://book.example.com", "https://", "https://a.example/path"])
def test_web_address_refuses(given: Given, value: str) -> None:
    given(value)
    with pytest.raises(ImproperlyConfigured, match=r"THING must look like https://book\.example\.com"):
        env.web_address("THING", "")


def test_web_address_has_no_slash_at_its_end(given: Given) -> None:
    given("https://book.example.com/")
    assert env.web_address("THING", "") == "https://book.example.com"


@pytest.mark.parametrize(("value", "expected"), [(None, 3), ("0", 0), ("7", 7), ("none", None), ("None", None)])
def test_number_or_none(given: Given, value: str | None, expected: int | None) -> None:
    given(value)

    assert env.number_or_none("THING", 3, high=10) == expected


def test_number_or_none_has_bounds(given: Given) -> None:
    given("11")

    with pytest.raises(ImproperlyConfigured, match="THING must be a whole number from 0 to 10"):
        env.number_or_none("THING", 3, high=10)
