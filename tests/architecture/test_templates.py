"""Templates can be read and compared line by line: one element a line, long lines only for long texts."""

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
WIDTH = 160
# A sentence is one message for translators, and an attribute's value cannot be broken without changing it.
ATTRIBUTE = re.compile(r'\s*[\w-]+=("[^"]*"|\'[^\']*\')\s*')


def is_too_long(line: str) -> bool:
    return len(line) > WIDTH and "translate " not in line and "style=" not in line and not ATTRIBUTE.fullmatch(line)


def test_no_line_of_a_template_is_too_long_to_review() -> None:
    too_long = [
        f"{path.relative_to(TEMPLATES)}:{number}"
        for path in TEMPLATES.rglob("*.html")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if is_too_long(line)
    ]

    assert too_long == []


def test_the_search_finds_what_it_looks_for() -> None:
    assert is_too_long("<p>{{ " + "a" * WIDTH + " }}</p>")
    assert not is_too_long('  content="' + "a" * WIDTH + '"')
    assert not is_too_long('{% translate "' + "a" * WIDTH + '" %}')
