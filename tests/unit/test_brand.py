"""The brand colours keep the promised contrast for any colour that a business chooses."""

import itertools

import pytest

from services.brand import BrandTokens, brand_css, brand_tokens, contrast, rgb

LEVELS = (0, 51, 128, 204, 255)
COLOURS = [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in itertools.product(LEVELS, repeat=3)]
LIGHT_GROUNDS, DARK_GROUNDS = ("#faf9f7", "#ffffff"), ("#141210", "#1b1917")


def test_the_demo_colour_gives_the_colours_of_the_design() -> None:
    tokens = brand_tokens("#0f766e")

    assert tokens == BrandTokens(
        light={
            "--brand": "#0f766e",
            "--on-brand": "#ffffff",
            "--brand-text": "#0f766e",
            "--brand-1": "#eef1ec",
            "--brand-2": "#e1e9e3",
            "--brand-3": "#bcd2cb",
        },
        dark={
            "--brand": "#0f766e",
            "--on-brand": "#ffffff",
            "--brand-text": "#6fd2c7",
            "--brand-1": "#202e2a",
            "--brand-2": "#223c37",
            "--brand-3": "#21544e",
        },
    )


@pytest.mark.parametrize("colour", COLOURS)
def test_text_is_readable_whatever_the_colour(colour: str) -> None:
    tokens = brand_tokens(colour)

    for scheme, grounds in ((tokens.light, LIGHT_GROUNDS), (tokens.dark, DARK_GROUNDS)):
        assert contrast(rgb(scheme["--on-brand"]), rgb(scheme["--brand"])) >= 4.5
        for ground in (*grounds, scheme["--brand-1"]):
            assert contrast(rgb(scheme["--brand-text"]), rgb(ground)) >= 4.5
        assert contrast(rgb(scheme["--brand"]), rgb(grounds[1])) >= 3


@pytest.mark.parametrize("colour", COLOURS)
def test_labels_are_readable_on_the_tint(colour: str) -> None:
    tokens = brand_tokens(colour)

    for ink in ("#1c1917", "#57524d", "#6e6861"):
        assert contrast(rgb(ink), rgb(tokens.light["--brand-1"])) >= 4.5
    for ink in ("#f4f1ed", "#bdb6ae", "#9a938b"):
        assert contrast(rgb(ink), rgb(tokens.dark["--brand-1"])) >= 4.5


def test_a_readable_colour_is_left_as_it_is() -> None:
    assert brand_tokens("#1d4ed8").light["--brand"] == "#1d4ed8"


def test_a_short_colour_means_the_same_as_the_long_one() -> None:
    assert brand_tokens("#07A") == brand_tokens("#0077aa")


@pytest.mark.parametrize("colour", ["", "teal", "0f766e", "#0f766", "#0f766e;}", "#0f766e80"])
def test_anything_but_a_hex_colour_is_refused(colour: str) -> None:
    with pytest.raises(ValueError, match="not a hex colour"):
        brand_tokens(colour)


def test_the_style_sheet_sets_the_tokens_for_light_and_dark() -> None:
    assert brand_css("#0f766e") == (
        ":root{--brand:#0f766e;--on-brand:#ffffff;--brand-text:#0f766e;"
        "--brand-1:#eef1ec;--brand-2:#e1e9e3;--brand-3:#bcd2cb}"
        "@media screen and (prefers-color-scheme:dark){:root{--brand:#0f766e;--on-brand:#ffffff;--brand-text:#6fd2c7;"
        "--brand-1:#202e2a;--brand-2:#223c37;--brand-3:#21544e}}"
    )
