"""The template language of the business's own texts: what it fills in and refuses, and that it evaluates nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from notifications.wording.template_language import TextProblem, filled, parsed, variables_in

KNOWN = ("first_name", "when", "manage_url", "policy")
WORDS = {"first_name": "Jana", "when": "Fri 27 Nov, 14:30", "manage_url": "https://book.example/b/1/", "policy": ""}
PIECES = st.sampled_from(
    [
        *(
            "{",
            "}",
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "if",
            "else",
            "endif",
            "first_name",
            "policy",
            "x.y",
            "\n",
            " ",
        ),
        *("{{ first_name }}", "{% if policy %}", "{% endif %}", "{% load x %}", "{0.__class__}", "__class__", "|", "ß"),
    ]
)


def test_words_take_the_place_of_their_names() -> None:
    assert filled("Hello {{ first_name }}, {{when}}.", WORDS) == "Hello Jana, Fri 27 Nov, 14:30."


def test_a_part_is_kept_when_its_word_says_something() -> None:
    text = "A{% if when %} at {{ when }}{% else %} some day{% endif %}.{% if policy %} Rules: {{ policy }}{% endif %}"

    assert filled(text, WORDS) == "A at Fri 27 Nov, 14:30."
    assert filled(text, {}) == "A some day."


def test_a_part_that_is_left_out_leaves_no_gap() -> None:
    text = "One\n{% if policy %}\nTwo\n{% endif %}\nThree\n"

    assert filled(text, WORDS) == "One\nThree\n"
    assert filled(text, {"policy": "x"}) == "One\nTwo\nThree\n"


def test_a_name_without_a_word_leaves_nothing() -> None:
    assert filled("[{{ gone }}]", WORDS) == "[]"


def test_what_a_customer_typed_is_never_read_as_a_variable() -> None:
    typed = "{{ manage_url }}{% if when %}{0.__class__}"

    assert filled("Hello {{ first_name }}", {**WORDS, "first_name": typed}) == f"Hello {typed}"


def test_variables_come_in_the_order_of_the_text_and_once() -> None:
    text = "{{ when }} {% if policy %}{{ first_name }}{% endif %} {{ when }}"

    assert variables_in(text) == ["when", "first_name"]
    assert variables_in("{{ when") == []


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("Hi {{ fist_name }}", 1, "There is no “fist_name”. Did you mean “first_name”?"),
        ("one\ntwo {{ xyz }}", 2, "There is no “xyz” in this message."),
        ("{{ first_name.password }}", 1, "Between {{ and }} there can only be one name from the list."),
        ("{{ first_name|upper }}", 1, "Between {{ and }} there can only be one name from the list."),
        ("{{ first_name() }}", 1, "Between {{ and }} there can only be one name from the list."),
        ("{{ }}", 1, "Between {{ and }} there can only be one name from the list."),
        ("{% load static %}", 1, "Only {% if name %}, {% else %} and {% endif %} can stand between {% and %}."),
        ("{% include 'x' %}", 1, "Only {% if name %}, {% else %} and {% endif %} can stand between {% and %}."),
        ("{% if when == policy %}", 1, "Only {% if name %}, {% else %} and {% endif %} can stand between {% and %}."),
        ("a\n\n{% if when %}b", 3, "This “if” has no {% endif %} after it."),
        ("a\n{% endif %}", 2, "“endif” has no “if” before it."),
        ("{% if when %}{% if policy %}x{% endif %}{% endif %}", 1, "An “if” cannot stand inside another one."),
        ("{% if when %}a{% else %}b{% else %}c{% endif %}", 1, "This “if” has no {% endif %} after it."),
        ("a {0.__class__}", 1, "A single brace is no variable. Write {{ name }}, both braces on one line."),
        ("a\nb {first_name}", 2, "A single brace is no variable. Write {{ name }}, both braces on one line."),
        ("a {{ when\n}}", 1, "A single brace is no variable. Write {{ name }}, both braces on one line."),
        ("{# a note #}", 1, "A single brace is no variable. Write {{ name }}, both braces on one line."),
        ("{{ {{ when }} }}", 1, "Between {{ and }} there can only be one name from the list."),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text: str, line: int, sentence: str) -> None:
    with pytest.raises(TextProblem) as refused:
        parsed(text, KNOWN)

    assert (refused.value.line, str(refused.value)) == (line, sentence)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join))
@example("{% if first_name %}" * 5000)
def test_any_text_is_either_filled_in_or_refused_in_our_words(text: str) -> None:
    secret = {**WORDS, "first_name": "{{ policy }}{0.__class__}"}
    nodes, problem = (), None
    try:
        nodes = parsed(text, KNOWN)
    except TextProblem as refused:
        problem = refused
    if problem is not None:
        assert 1 <= problem.line <= text.count("\n") + 1
        assert str(problem)
        return

    shown = filled(text, secret)

    assert set(variables_in(text)) <= set(KNOWN)
    assert all(not set(node) & set("{}") for node in nodes if isinstance(node, str))
    assert "{" not in shown.replace("{{ policy }}{0.__class__}", "")


@given(st.dictionaries(st.sampled_from(KNOWN), st.text(max_size=20)))
def test_words_go_in_unchanged(words: dict[str, str]) -> None:
    text = "".join(f"<{{{{ {name} }}}}>" for name in KNOWN)

    assert filled(text, words) == "".join(f"<{words.get(name, '')}>" for name in KNOWN)
