"""Fonts of PDF documents: Inter for Latin, Greek and Cyrillic, Noto Sans for every other script.

All fonts come from Python packages, never from the machine, so that a document is the same on every machine.
"""

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.lines import breaks_line

MISSING = "□"

# Chinese, Japanese and Korean share code points and differ in shape: the language of the document decides.
_CJK_BY_LANGUAGE = {"ja": "JP", "ko": "KR", "zh-hant": "TC", "zh-tw": "TC", "zh-hk": "HK"}
# Zero-width non-joiner and joiner, which Persian, Sinhala and the scripts of India need inside words.
_JOINERS = "\u200c\u200d"


def readable(text: str) -> str:
    """Return ``text`` as the fonts can draw it, in NFC and on one line. Idempotent.

    Line breaks become a space. Format characters (direction) are dropped, except joiners. Letters, digits and
    unassigned characters without a glyph become MISSING; other characters without a glyph are dropped.
    """
    while (kept := _composed(text)) != text:
        text = kept
    return text


def families(language: str) -> list[str]:
    """Return the font families of a document in this language, preferred ones first."""
    first = ["Inter", "Noto Sans", f"Noto Sans CJK {_CJK_BY_LANGUAGE.get(language.lower(), 'SC')}"]
    return first + [name for name in font_book().families() if name not in first]


@lru_cache(maxsize=1)
def font_book() -> Any:
    """Return Typst's book of our fonts. It reads only the tables of the font files, once per process."""
    import typst

    folders = sorted({str(path.parent) for path in _files()})
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _composed(text: str) -> str:
    # A dropped character may have separated two characters that compose, so composing comes last.
    return unicodedata.normalize("NFC", "".join(map(_readable, unicodedata.normalize("NFC", text)))).strip()


def _readable(char: str) -> str:
    if breaks_line(char):
        return " "
    category = unicodedata.category(char)
    if category == "Cf":
        return char if char in _JOINERS else ""
    if category not in ("Co", "Cs", "Cn") and ord(char) in _characters():
        return char
    if category == "Zs":
        return " "
    return MISSING if category[0] in "LNC" else ""


def _files() -> list[Path]:
    import fontpkg_inter
    import manimgx_fonts
    import manimgx_fonts_cjk

    noto, cjk = (Path(str(package.__file__)).parent for package in (manimgx_fonts, manimgx_fonts_cjk))
    inter = Path(fontpkg_inter.ROOT) / "files"
    return [path for folder in (inter, noto, cjk) for path in folder.iterdir() if path.suffix in (".ttf", ".ttc")]


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Return the code points that have a glyph. Takes most of a second, once per process."""
    from fontTools.ttLib import TTFont

    found: set[int] = set()
    for path in _files():
        if "Italic" not in path.name:
            with TTFont(path, lazy=True, fontNumber=0) as font:
                found.update(font.getBestCmap())
    return frozenset(found)
