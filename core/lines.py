"""Make texts safe for a single line: a header, a subject, a calendar line, a receipt, a text message. Pure."""

import unicodedata

# Control characters, halves of surrogate pairs, and the two separators of lines and paragraphs. Format characters (Cf)
# stay: Sinhala, Malayalam, Persian and emoji are spelled with joiners. So do unassigned ones, which are the emoji of a
# Unicode newer than Python's.
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def breaks_line(character: str) -> bool:
    """Say whether a character ends a line or cannot be part of one."""
    return unicodedata.category(character) in _BREAKING


def one_line(text: str) -> str:
    """Return text as one line: line breaks and control characters become spaces, several spaces become one."""
    return " ".join("".join(" " if breaks_line(character) else character for character in text).split())
