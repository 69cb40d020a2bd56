"""Fields that take what people type: what is read, what is refused, and how a stored value is shown again."""

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override

from core import money
from core.forms import ClockField, LengthField, MoneyField, PercentField, length_text


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("09:30", 570),
        ("9:30", 570),
        ("9", 540),
        ("9.30", 570),
        ("930", 570),
        ("00:00", 0),
        ("24:00", 1440),
        ("26:00", 1560),
    ],
)
def test_times_of_day(typed: str, minutes: int) -> None:
    assert ClockField().clean(typed) == minutes


@pytest.mark.parametrize("typed", ["9:60", "48:01", "nine", "-1:00", "9:3x", "25:00:00", "٩٩:٩٩x"])
def test_times_that_are_none(typed: str) -> None:
    with pytest.raises(ValidationError):
        ClockField().clean(typed)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("90", 90),
        ("90 min", 90),
        ("24 h", 1440),
        ("3 d", 4320),
        ("2 days", 2880),
        ("1 h 30 min", 90),
        ("1h30m", 90),
        ("0", 0),
    ],
)
def test_lengths(typed: str, minutes: int) -> None:
    assert LengthField().clean(typed) == minutes


@pytest.mark.parametrize("typed", ["soon", "1x", "-5", "1.5 h", "99999999 d"])
def test_lengths_that_are_none(typed: str) -> None:
    with pytest.raises(ValidationError):
        LengthField().clean(typed)


@pytest.mark.parametrize("minutes", [0, 5, 60, 75, 90, 120, 1440, 1500, 2880, 4320])
def test_a_shown_length_reads_back_as_itself(minutes: int) -> None:
    assert LengthField().clean(length_text(minutes)) == minutes


@pytest.mark.parametrize(
    ("currency", "typed", "minor"),
    [
        ("EUR", "45", 4500),
        ("EUR", "45.5", 4550),
        ("EUR", "45,50", 4550),
        ("EUR", "1 200.00", 120000),
        ("EUR", "0", 0),
        ("JPY", "4500", 4500),
        ("KWD", "1.234", 1234),
        ("EUR", "1,200.00", 120000),
        ("EUR", "1.200,00", 120000),
        ("EUR", "1,200.5", 120050),
        ("EUR", "1,200,000", 120000000),
        ("EUR", "1.200.000,00", 120000000),
        ("EUR", "1'200.00", 120000),
        ("EUR", "1,255", 125500),
        ("EUR", "0.500", 50),
        ("EUR", "1200.500", 120050),
        ("JPY", "1,200", 1200),
        ("JPY", "1.200", 1200),
        ("JPY", "1,200,000", 1200000),
        ("KWD", "1,200.000", 1200000),
        ("KWD", "1.200,000", 1200000),
        ("KWD", "1,20", 1200),
        ("IDR", "9 999 999 999.99", money.MOST_MINOR),
    ],
)
def test_amounts(currency: str, typed: str, minor: int) -> None:
    field = MoneyField(currency=currency)

    assert field.clean(typed) == minor
    assert field.clean(field.prepare_value(minor)) == minor


@pytest.mark.parametrize(
    ("currency", "typed"),
    [
        ("EUR", "-1"),
        ("EUR", "1.005"),
        ("EUR", "1e3"),
        ("EUR", "NaN"),
        ("JPY", "1.5"),
        ("EUR", "1,20,000"),
        ("EUR", "1,200.0.0"),
        ("EUR", "0,500.00"),
        ("EUR", "1,2345"),
        ("JPY", "1,20"),
    ],
)
def test_amounts_that_are_none(currency: str, typed: str) -> None:
    with pytest.raises(ValidationError):
        MoneyField(currency=currency).clean(typed)


@pytest.mark.parametrize(
    ("currency", "typed", "language", "sentence"),
    [
        ("EUR", "1,200", "en", "Do you mean 1,200.00 or 1.20? Please type it that way."),
        ("EUR", "1.200", "en", "Do you mean 1,200.00 or 1.20? Please type it that way."),
        ("EUR", "12.250", "en", "Do you mean 12,250.00 or 12.25? Please type it that way."),
        ("EUR", "1.200", "de", "Do you mean 1.200,00 or 1,20? Please type it that way."),
        ("KWD", "1,234", "en", "Do you mean 1,234.000 or 1.234? Please type it that way."),
        ("KWD", "1.234", "de", "Do you mean 1.234,000 or 1,234? Please type it that way."),
    ],
)
def test_amounts_that_could_be_two(currency: str, typed: str, language: str, sentence: str) -> None:
    with override(language), pytest.raises(ValidationError) as refused:
        MoneyField(currency=currency).clean(typed)

    assert refused.value.messages == [sentence]


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize(("currency", "minor"), [("EUR", 120000), ("JPY", 1200), ("KWD", 1234), ("KWD", 1234567)])
def test_what_a_field_shows_may_be_typed_again(currency: str, minor: int, language: str) -> None:
    field = MoneyField(currency=currency)

    with override(language):
        assert field.clean(field.prepare_value(minor)) == minor


def test_a_percentage_has_no_thousands() -> None:
    assert PercentField().clean("1.200") == 120


@pytest.mark.parametrize(
    ("currency", "typed", "most"),
    [
        ("EUR", "10000000000", "€9,999,999,999.99"),
        ("JPY", "1000000000000", "¥999,999,999,999"),
        ("KWD", "999999999999.999", "KWD\xa0999,999,999.999"),
    ],
)
def test_amounts_that_nobody_has(currency: str, typed: str, most: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MoneyField(currency=currency).clean(typed)

    assert refused.value.messages == [f"That is too much: at most {most}."]


@pytest.mark.parametrize(("typed", "points"), [("19", 1900), ("7.5 %", 750), ("7,25%", 725), ("0", 0), ("100", 10_000)])
def test_percentages(typed: str, points: int) -> None:
    field = PercentField()

    assert field.clean(typed) == points
    assert field.clean(field.prepare_value(points)) == points


@pytest.mark.parametrize("typed", ["100.01", "-1", "7.555", "all"])
def test_percentages_that_are_none(typed: str) -> None:
    with pytest.raises(ValidationError):
        PercentField().clean(typed)


def test_an_empty_value_is_nothing_or_required() -> None:
    assert MoneyField(currency="EUR", required=False).clean("") is None
    with pytest.raises(ValidationError):
        ClockField().clean("")


def test_what_is_typed_as_shown_has_not_changed() -> None:
    field = LengthField()

    assert not field.has_changed(90, "90 min")
    assert field.has_changed(90, "75 min")
