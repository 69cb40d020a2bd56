"""Markup that is written once per process."""

from dataclasses import dataclass

from django.template import Context, Template
from django.utils import translation


@dataclass(frozen=True)
class Frame:
    name: str


def test_markup_is_written_once_for_each_language() -> None:
    page = Template("{% fixed %}{% translate 'Times' %} {% get_current_language as code %}{{ code }}{% endfixed %}")

    with translation.override("en"):
        first = page.render(Context())
    with translation.override("pt-br"):
        other = page.render(Context())

    assert (first, other) == ("Times en", "Times pt-br")


def test_nothing_of_a_request_gets_into_it() -> None:
    page = Template("{% fixed frame %}{{ frame.name }}{{ name }}{{ csrf_token }}{% endfixed %} {{ name }}")

    first = page.render(Context({"frame": Frame("Studio"), "name": "Casey", "csrf_token": "secret"}))
    second = page.render(Context({"frame": Frame("Studio"), "name": "Jana", "csrf_token": "other"}))

    assert (first, second) == ("Studio Casey", "Studio Jana")


def test_another_value_of_its_variable_is_written_anew_and_escaped() -> None:
    page = Template("{% fixed frame %}{{ frame.name }}{% endfixed %}")

    texts = [page.render(Context({"frame": Frame(name)})) for name in ("One", "A & B", "One")]

    assert texts == ["One", "A &amp; B", "One"]


def test_only_the_last_values_are_kept() -> None:
    page = Template("{% fixed frame %}{{ frame.name }}{% endfixed %}")
    for number in range(200):
        page.render(Context({"frame": Frame(str(number))}))

    assert len(page.nodelist[0]._written) <= 64
