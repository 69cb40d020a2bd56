"""The texts for customers and staff use plain words: none that is empty, or means something else to customers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APPS = ("core", "accounts", "services", "staff", "payments", "notifications", "bookings", "privacy")
MARKING = {"gettext", "gettext_lazy", "_", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
UNWANTED = re.compile(r"\b(invalid|error occurred|slot|slots|successfully|submit|please note|oops)\b", re.IGNORECASE)
TAG = re.compile(r"{%.*?%}|{#.*?#}", re.DOTALL)
COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}", re.DOTALL)
QUOTED = re.compile(r"""{%\s*translate\s+("[^"]*"|'[^']*')""")


def marked_in_code(path: Path) -> Iterator[str]:
    """Every text in a call that marks it for translation; of admin modules none, they are for the business."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in MARKING:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def written_in_template(path: Path) -> str:
    """What is left of a template without its tags and attributes, and the texts of its translate tags."""
    source = COMMENT.sub(" ", path.read_text())
    return " ".join([re.sub(r"<[^>]*>", " ", TAG.sub(" ", source)), *QUOTED.findall(source)])


@pytest.mark.parametrize("app", APPS)
def test_sentences_in_code_are_plain(app: str) -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), text)
        for path in (ROOT / app).rglob("*.py")
        if "admin" not in path.name and "migrations" not in path.parts
        for text in marked_in_code(path)
        if UNWANTED.search(text)
    }

    assert found == set()


def test_templates_are_plain() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): UNWANTED.search(written_in_template(path))
        for path in (ROOT / "templates").rglob("*.*")
    }

    assert {name for name, match in found.items() if match} == set()


def test_templates_have_no_inline_style_or_script() -> None:
    inline = re.compile(r"""\sstyle\s*=|\son[a-z]+\s*=\s*["']|<style|<script(?![^>]*\bsrc=)|\|safe\b|autoescape off""")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "templates").rglob("*.html")
        # Mails and the export of a customer are read far from this site, so they carry their style.
        if not {"notifications", "export.html"} & {*path.parts} and inline.search(path.read_text())
    }

    assert found == set()


def test_the_search_finds_what_it_looks_for(tmp_path: Path) -> None:
    module, template = tmp_path / "module.py", tmp_path / "page.html"
    module.write_text('_("This slot is gone.")\nother("invalid")')
    template.write_text('{% extends "x" %}<p class="slot">{% translate "Submit" %}</p>')

    assert [text for text in marked_in_code(module) if UNWANTED.search(text)] == ["This slot is gone."]
    assert UNWANTED.search(written_in_template(template))
