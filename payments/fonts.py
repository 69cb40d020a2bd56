"""Fonts for documents: Inter for Latin, Greek and Cyrillic, Noto Sans KR for Korean and what else it has.

Both come from packages, never from the machine. Nothing is opened before the first document. A document gets files
with just the characters it needs: cutting first and only then setting the weight is 20 times faster than the reverse.
"""

import unicodedata
from collections.abc import Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.lines import breaks_line

REGULAR, SEMIBOLD = 400, 600
MISSING = "□"

# Small texts; the other end of this axis is meant for headings.
_OPTICAL_SIZE = 14
_DIGITS = range(ord("0"), ord("9") + 1)
_STYLE_NAME, _WINDOWS, _UNICODE, _ENGLISH = 2, 3, 1, 0x409


@dataclass(frozen=True, slots=True)
class Faces:
    """Font files of one document; ``fallback`` is for what the other two do not have, often nothing."""

    regular: Path
    semibold: Path
    fallback: Path | None


def readable(text: str) -> str:
    """Return ``text`` as the fonts can write it, on one line.

    Characters that steer (direction, joining, line breaks) become a space or nothing, pictures without a glyph nothing,
    letters without a glyph a box. What is left is as typed.
    """
    return "".join(_readable(char) for char in unicodedata.normalize("NFC", text)).strip()


def needs_fallback(text: str) -> bool:
    """Say whether ``text`` has characters for the fallback, which has no bold."""
    return any(ord(char) not in _main_characters() for char in text)


def write_faces(text: str, folder: Path) -> Faces:
    """Write font files for the characters of ``text`` into ``folder``."""
    wanted = {ord(char) for char in text + " "}
    main, rest = wanted & _main_characters(), wanted - _main_characters()
    regular, semibold, fallback = (folder / name for name in ("regular.ttf", "semibold.ttf", "fallback.ttf"))
    _write_main(regular, main, REGULAR)
    _write_main(semibold, main, SEMIBOLD)
    if rest:
        _write_fallback(fallback, rest)
    return Faces(regular, semibold, fallback if rest else None)


def _readable(char: str) -> str:
    if breaks_line(char):
        return " "
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if ord(char) in _main_characters() or ord(char) in _fallback_characters():
        return char
    if category == "Zs":
        return " "
    return MISSING if category[0] in "LNC" else ""


def _main_path() -> Path:
    import fontpkg_inter

    return Path(fontpkg_inter.ROOT) / "files" / "Inter[opsz,wght].ttf"


def _fallback_path() -> Path:
    import pylopdf_fonts_ko

    return pylopdf_fonts_ko.sans_path()


@lru_cache(maxsize=1)
def _main_characters() -> frozenset[int]:
    return _characters(_main_path())


@lru_cache(maxsize=1)
def _fallback_characters() -> frozenset[int]:
    return _characters(_fallback_path())


def _characters(path: Path) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _write_main(path: Path, characters: Set[int], weight: int) -> None:
    from fontTools.varLib.instancer import instantiateVariableFont

    with _cut(_main_path(), characters) as font:
        instantiateVariableFont(font, {"wght": weight, "opsz": _OPTICAL_SIZE}, inplace=True, static=True)
        _make_figures_tabular(font)
        # Programs that read the document tell its fonts apart by name.
        font["name"].setName(f"{weight}", _STYLE_NAME, _WINDOWS, _UNICODE, _ENGLISH)
        font.save(path)


def _write_fallback(path: Path, characters: Set[int]) -> None:
    """Write the font anew with outlines of the kind that every reader of PDFs knows; its own need PDF 1.6."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    with _cut(_fallback_path(), characters) as font:
        outlines, drawn = font.getGlyphSet(), {}
        for name in font.getGlyphOrder():
            pen = TTGlyphPen(None)
            outlines[name].draw(Cu2QuPen(pen, max_err=1, reverse_direction=True))
            drawn[name] = pen.glyph()
        widths = {name: font["hmtx"][name][0] for name in drawn}
        builder = FontBuilder(font["head"].unitsPerEm, isTTF=True)
        builder.setupGlyphOrder(font.getGlyphOrder())
        builder.setupCharacterMap(font.getBestCmap())
        builder.setupGlyf(drawn)
        builder.setupHorizontalMetrics({name: (widths[name], getattr(drawn[name], "xMin", 0)) for name in drawn})
        builder.setupHorizontalHeader(ascent=font["hhea"].ascent, descent=font["hhea"].descent)
        builder.setupOS2(sCapHeight=font["OS/2"].sCapHeight, usWeightClass=REGULAR)
        builder.setupNameTable({"familyName": "Noto Sans KR", "styleName": "Regular"})
        builder.setupPost()
        builder.save(path)


@contextmanager
def _cut(path: Path, characters: Set[int]) -> Iterator[Any]:
    """Open a font and leave in it only what is needed for ``characters``."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    # A time of its own in the file would make every document differ from the last.
    with TTFont(path, lazy=True, recalcTimestamp=False) as font:
        cut = Subsetter(Options(layout_features=["tnum"], notdef_outline=True, hinting=False))
        cut.populate(unicodes=characters)
        cut.subset(font)
        yield font


def _make_figures_tabular(font: Any) -> None:
    """Point the digits at their figures of equal width, as documents are set without the font's own features."""
    tabular: dict[str, str] = {}
    substitutions = font["GSUB"].table if "GSUB" in font else None
    for lookup in substitutions.LookupList.Lookup if substitutions else ():
        for subtable in lookup.SubTable:
            tabular |= getattr(subtable, "ExtSubTable", subtable).mapping
    for table in font["cmap"].tables:
        table.cmap |= {code: tabular.get(name, name) for code, name in table.cmap.items() if code in _DIGITS}
