"""The template language of the business's own texts. Pure: a text and values in, text out.

A text names variables as ``{{ name }}``. It may show a part only if a variable is not empty:
``{% if name %} … {% else %} … {% endif %}``. There are no attributes, no filters and no other tags. Inserted values are
never parsed.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.errors import Refused

LONGEST_TEXT = 5000
_TAG = re.compile(r"\{\{[^\n]*?\}\}|\{%[^\n]*?%\}|\{#[^\n]*?#\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A tag alone on its line takes the line break with it, so that parts left out leave no gaps.
_LONELY_TAG = re.compile(r"^[ \t]*(\{%[^\n{}]*%\})[ \t]*\n", re.MULTILINE)

_BRACE = _("A single brace is no variable. Write {{ name }}, both braces on one line.")


class TextProblem(Refused):
    """A text that cannot be parsed. ``line`` counts from 1."""

    code = "text_problem"

    def __init__(self, sentence: "str | Promise", *, line: int) -> None:
        super().__init__(sentence, line=line)
        self.line = line


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a text may name. ``sample`` is shown in previews without a real value.

    Both texts are lazy translations.
    """

    name: str
    description: "str | Promise"
    sample: "str | Promise"


@dataclass(frozen=True, slots=True)
class Word:
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """``then`` if the named value is not empty, else ``otherwise``."""

    name: str
    then: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]" = ()


Node = str | Word | Choice


def parsed(text: str, known: Collection[str] | None = None) -> tuple[Node, ...]:
    """Parse a text. With ``known``, an unknown name is refused and the nearest known one is suggested.

    :raises TextProblem: with the line that cannot be parsed.
    """
    reader = _Reader(text, known)
    nodes, ending, line = reader.part()
    if ending:
        raise TextProblem(_("“%(tag)s” has no “if” before it.") % {"tag": ending}, line=line)
    return nodes


def filled(text: str, words: Mapping[str, str]) -> str:
    """Insert the values in place of their names. A name without a value becomes empty.

    :raises TextProblem: when ``parsed`` does not accept the text.
    """
    return "".join(_filled(parsed(_LONELY_TAG.sub(r"\1", text)), words))


def variables_in(text: str) -> list[str]:
    """Return the names of the variables that a text shows, in order and each once; none when it cannot be parsed."""
    try:
        return list(dict.fromkeys(_shown(parsed(text))))
    except TextProblem:
        return []


def _filled(nodes: tuple[Node, ...], words: Mapping[str, str]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Word(name):
                yield words.get(name, "")
            case Choice(name, then, otherwise):
                yield from _filled(then if words.get(name, "").strip() else otherwise, words)
            case _:
                yield node


def _shown(nodes: tuple[Node, ...]) -> Iterator[str]:
    for node in nodes:
        match node:
            case Word(name):
                yield name
            case Choice(_, then, otherwise):
                yield from _shown(then)
                yield from _shown(otherwise)


class _Reader:
    """Parses a text from start to end. Nested ``if`` is refused, which keeps texts readable and the depth bounded."""

    def __init__(self, text: str, known: Collection[str] | None) -> None:
        self._known = known
        self._tokens = list(_tokens(text))
        self._at = 0

    def part(self, *, is_inner: bool = False) -> tuple[tuple[Node, ...], str, int]:
        """Return the nodes up to ``else``, ``endif`` or the end, then that word (empty for the end) and its line."""
        nodes: list[Node] = []
        while self._at < len(self._tokens):
            token, line, is_tag = self._tokens[self._at]
            self._at += 1
            if not is_tag:
                nodes.append(_plain(token, line))
            elif token.startswith("{%"):
                inner = token[2:-2].split()
                if inner in (["else"], ["endif"]):
                    return tuple(nodes), inner[0], line
                nodes.append(self._choice(inner, line, is_inner=is_inner))
            elif token.startswith("{{"):
                nodes.append(Word(self._name(token[2:-2].strip(), line)))
            else:
                raise TextProblem(_BRACE, line=line)
        return tuple(nodes), "", 0

    def _choice(self, inner: list[str], line: int, *, is_inner: bool) -> Choice:
        if len(inner) != 2 or inner[0] != "if":
            raise TextProblem(
                _("Only {% if name %}, {% else %} and {% endif %} can stand between {% and %}."), line=line
            )
        if is_inner:
            raise TextProblem(_("An “if” cannot stand inside another one."), line=line)
        name = self._name(inner[1], line)
        then, ending, _line = self.part(is_inner=True)
        otherwise: tuple[Node, ...] = ()
        if ending == "else":
            otherwise, ending, _line = self.part(is_inner=True)
        if ending != "endif":
            raise TextProblem(_("This “if” has no {% endif %} after it."), line=line)
        return Choice(name, then, otherwise)

    def _name(self, name: str, line: int) -> str:
        if not _NAME.fullmatch(name):
            raise TextProblem(_("Between {{ and }} there can only be one name from the list."), line=line)
        if self._known is None or name in self._known:
            return name
        nearest = difflib.get_close_matches(name.lower(), sorted(self._known), n=1, cutoff=0.5)
        if nearest:
            sentence = _("There is no “%(name)s”. Did you mean “%(nearest)s”?")
            raise TextProblem(sentence % {"name": name[:40], "nearest": nearest[0]}, line=line)
        raise TextProblem(_("There is no “%(name)s” in this message.") % {"name": name[:40]}, line=line)


def _tokens(text: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the tokens of a text: text or tag, the line it begins on, and whether it is a tag."""
    line, at = 1, 0
    for found in _TAG.finditer(text):
        if before := text[at : found.start()]:
            yield before, line, False
        line += text.count("\n", at, found.start())
        yield found[0], line, True
        at = found.end()
    if rest := text[at:]:
        yield rest, line, False


def _plain(text: str, line: int) -> str:
    """Refuse stray braces, so that the owner sees a typing error here and no customer sees it in a mail."""
    brace = re.search(r"[{}]", text)
    if brace is None:
        return text
    at = line + text.count("\n", 0, brace.start())
    raise TextProblem(_BRACE, line=at)
