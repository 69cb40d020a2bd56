"""The brand colours of the pages, derived from the one colour that the business chooses.

Pure: a hex colour in, tokens and a style sheet out. Colours are mixed and lightened in OKLab, where equal steps look
equal. For any colour, text on it and text in it keep a contrast of at least 4.5:1, and the main button keeps 3:1 to the
page.
"""

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

DEFAULT_BRAND = "#0f766e"

TEXT_CONTRAST = 4.5
SHAPE_CONTRAST = 3.0

WHITE = (1.0, 1.0, 1.0)
_LIGHT_PAGE, _LIGHT_SURFACE, _WARM_WHITE = "#faf9f7", "#ffffff", "#fdfbf6"
_DARK_PAGE, _DARK_SURFACE = "#141210", "#1b1917"
_LIGHT_INKS, _DARK_INKS = ("#57524d", "#6e6861"), ("#bdb6ae", "#9a938b")
_LIGHT_MIX, _DARK_MIX = (0.07, 0.13, 0.30), (0.24, 0.40, 0.66)
_STEP = 0.004

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class BrandTokens:
    """CSS custom properties by name, as hex colours, for the light and the dark page."""

    light: dict[str, str]
    dark: dict[str, str]


def brand_tokens(colour: str) -> BrandTokens:
    """Derive all brand tokens from ``colour`` (``#rgb`` or ``#rrggbb``).

    :raises ValueError: when ``colour`` is not a hex colour.
    """
    chosen = _parse(colour)
    brand = _until(chosen, -_STEP, _readable_in_light)
    light_tints = _tints(brand, _WARM_WHITE, _LIGHT_MIX, _LIGHT_INKS)

    dark_brand = _until(brand, _STEP, lambda c: contrast(c, _parse(_DARK_SURFACE)) >= SHAPE_CONTRAST)
    dark_tints = _tints(dark_brand, _DARK_SURFACE, _DARK_MIX, _DARK_INKS)
    dark_text = _until(
        _from_oklch(0.80, min(0.095, 1.2 * _to_oklch(brand)[1]), _to_oklch(brand)[2]),
        _STEP,
        lambda c: _passes(c, [_parse(_DARK_PAGE), _parse(_DARK_SURFACE), dark_tints[0], dark_tints[1]]),
    )
    return BrandTokens(
        light=_named(brand, brand, light_tints),
        dark=_named(dark_brand, dark_text, dark_tints),
    )


def brand_css(colour: str) -> str:
    """Return the style sheet that replaces the default brand tokens by those of ``colour``."""
    tokens = brand_tokens(colour)
    light, dark = (";".join(f"{name}:{value}" for name, value in t.items()) for t in (tokens.light, tokens.dark))
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast of two colours by WCAG 2, from 1 to 21."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rgb(colour: str) -> Rgb:
    """Parse a hex colour into red, green and blue from 0 to 1.

    :raises ValueError: when ``colour`` is not a hex colour.
    """
    return _parse(colour)


def _readable_in_light(colour: Rgb) -> bool:
    tint = _tint(_parse(_hex(colour)), _WARM_WHITE, _LIGHT_MIX[0])
    return _passes(colour, [_parse(_LIGHT_PAGE), _parse(_LIGHT_SURFACE), tint])


def _tints(brand: Rgb, ground: str, shares: tuple[float, float, float], inks: tuple[str, ...]) -> list[Rgb]:
    """Mix the brand into ``ground``; mix in less of it if labels would lose their contrast on the first tint."""
    part = 1.0
    while part > 0 and not all(_passes(_parse(ink), [_tint(brand, ground, part * shares[0])]) for ink in inks):
        part -= 0.05
    return [_tint(brand, ground, part * share) for share in shares]


def _tint(brand: Rgb, ground: str, share: float) -> Rgb:
    return _parse(_hex(_mix(brand, _parse(ground), share)))


def _named(brand: Rgb, text: Rgb, tints: list[Rgb]) -> dict[str, str]:
    names = ("--brand", "--on-brand", "--brand-text", "--brand-1", "--brand-2", "--brand-3")
    return dict(zip(names, map(_hex, (brand, WHITE, text, *tints)), strict=True))


def _passes(text: Rgb, grounds: Iterable[Rgb]) -> bool:
    return all(contrast(text, ground) >= TEXT_CONTRAST for ground in grounds)


def _until(colour: Rgb, step: float, good: Callable[[Rgb], bool]) -> Rgb:
    """Move the lightness of ``colour`` by ``step`` until ``good`` accepts the colour as rounded to hex."""
    lightness, chroma, hue = _to_oklch(colour)
    while not good(_parse(_hex(colour))) and 0 <= lightness + step <= 1:
        lightness += step
        colour = _from_oklch(lightness, chroma, hue)
    return _parse(_hex(colour))


def _parse(colour: str) -> Rgb:
    if not re.fullmatch(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})", colour):
        raise ValueError(f"{colour!r} is not a hex colour such as {DEFAULT_BRAND}.")
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#" + "".join(f"{round(255 * min(1.0, max(0.0, part))):02x}" for part in colour)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _luminance(colour: Rgb) -> float:
    red, green, blue = map(_linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklab(colour: Rgb) -> Rgb:
    red, green, blue = map(_linear, colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lab: Rgb) -> Rgb:
    """Convert OKLab to sRGB. Parts outside 0…1 mean that a screen cannot show the colour."""
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    red, green, blue = (_gamma(part) if part > 0 else part for part in linear)
    return red, green, blue


def _to_oklch(colour: Rgb) -> Rgb:
    lightness, a, b = _to_oklab(colour)
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _from_oklch(lightness: float, chroma: float, hue: float) -> Rgb:
    """Convert OKLCH to sRGB; reduce chroma until a screen can show the colour."""
    while True:
        colour = _from_oklab((lightness, chroma * math.cos(hue), chroma * math.sin(hue)))
        if chroma <= 0 or all(-0.0005 <= part <= 1.0005 for part in colour):
            return colour
        chroma = chroma - 0.004 if chroma > 0.004 else 0.0


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """Mix ``share`` of ``one`` into ``other``, in OKLab."""
    a, b, c = (share * x + (1 - share) * y for x, y in zip(_to_oklab(one), _to_oklab(other), strict=True))
    return _from_oklab((a, b, c))
