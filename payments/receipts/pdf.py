"""The PDF of a receipt: A4, black on white with one colour, with exactly the texts of ``contents.written``.

Typst draws ``documents/receipt.typ`` as tagged PDF/UA-1, which screen readers can follow. Equal contents give equal
bytes. Only workers call this: a process needs seconds for its first receipt, then some hundredths of a second for each.
"""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from payments.receipts.contents import ReceiptContents, written
from payments.receipts.fonts import families, font_book, readable

TEMPLATE = Path(__file__).with_name("documents") / "receipt.typ"

# Words of 25 characters or more (web addresses) may break after every twelve, so that they stay in their column.
_LONG_WORD = re.compile(r"[^\s\u3000-\u9fff\uac00-\ud7af]{25,}")
_PIECE = re.compile(r".{12}(?=\w)")
_BREAK = "\u200b"


def receipt_pdf(contents: ReceiptContents) -> bytes:
    """Draw the receipt. ``fonts.readable`` replaces characters that no font has.

    :raises ValueError: if the brand colour is not written like #0f766e.
    """
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", contents.brand_colour):
        raise ValueError("A colour is written like #0f766e.")
    import typst

    compiler = typst.Compiler(
        TEMPLATE.read_bytes(),
        root=TEMPLATE.parent,
        font_paths=font_book(),
        ignore_system_fonts=True,
        sys_inputs={"receipt": json.dumps(_drawn(contents))},
    )
    timestamp = int(contents.issued_at.timestamp())
    return cast(bytes, compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=timestamp))


def _drawn(contents: ReceiptContents) -> dict[str, Any]:
    """Return the input of the template: plain strings that the fonts can draw."""
    receipt = written(contents)
    language, _, region = contents.language.partition("-")
    return {
        **_cleaned(asdict(receipt)),
        "number": _cleaned(contents.number),
        "issuer_name": _cleaned(next(iter(receipt.issuer), "")),
        "brand_colour": contents.brand_colour,
        "lang": language,
        "region": region if len(region) == 2 else None,
        "fonts": families(contents.language),
    }


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _LONG_WORD.sub(_breakable, readable(value))
    if isinstance(value, dict):
        return {name: _cleaned(part) for name, part in value.items()}
    return [_cleaned(part) for part in value]


def _breakable(word: re.Match[str]) -> str:
    return _PIECE.sub(lambda piece: piece[0] + _BREAK, word[0])
