"""Reading pages in tests, however their templates are laid out."""

import re


def squeezed(html: str) -> str:
    """The page without the white space at its tags, and with single spaces in its texts."""
    return re.sub(r"\s*(<[^<>]*?)\s*(/?>)\s*", r"\1\2", " ".join(html.split()))
