"""Search for customers by name in any script, part of the e-mail address or tag; typed text is never a pattern."""

import pytest

from accounts.customer_search import folded_words, has_word, with_words
from accounts.models import Customer

pytestmark = pytest.mark.django_db


def customer(name: str, email: str = "", tags: tuple[str, ...] = ()) -> Customer:
    return Customer.objects.create(name=name, email=email, email_normalised=email or None, tags=list(tags))


def found(typed: str) -> list[str]:
    customers = with_words(Customer.objects.all(), folded_words(typed))
    return list(customers.order_by("name").values_list("name", flat=True))


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("sofia", "Sofía Kayà"),
        ("KAYA sof", "Sofía Kayà"),
        ("łódz", "Maria Lodz"),
        ("mueller", "Jan Mueller"),
        ("muller", "Jan Müller"),
        ("grosse", "Ida Größe"),
        ("o'brien", "Pat O’Brien"),
        ("obrien", "Pat O'Brien"),
        ("anne marie", "Anne-Marie Low"),
        ("иван", "Иванова Ольга"),
        ("ЁЛКИН", "Елкин Пётр"),
        ("민수", "김민수"),
        ("עדי", "עדי כהן"),
        ("🙂", "Kim 🙂"),
        ("li", "Bo Li"),
        ("kay@mail", "Sofia Kaya"),
        ("sofia regular", "Sofia Kaya"),
        ("regu", "Sofia Kaya"),
    ],
)
def test_a_customer_is_found(typed: str, name: str) -> None:
    customer("Somebody Else", "else@example.org")
    customer(name, "sofia.kay@mail.example" if name == "Sofia Kaya" else "", ("Regular",))

    assert name in found(typed)
    assert "Somebody Else" not in found(typed)


@pytest.mark.parametrize("typed", ["%", "_", "\\", "S%a", "S_fio", "'; DROP TABLE x --", "sofia nobody", "x" * 10_000])
def test_signs_of_patterns_and_words_that_are_not_there_find_nobody(typed: str) -> None:
    customer("Sofia Kaya")

    assert found(typed) == [] or not folded_words(typed)


def test_signs_alone_are_no_words() -> None:
    assert folded_words(" %_.-'\\ "[:6]) == []
    with pytest.raises(ValueError, match="folded"):
        has_word("a%b")


def test_a_longest_name_with_all_tags_fits() -> None:
    made = customer("Ы" * 120, "a@example.com", tuple("ж" * 30 for _ in range(10)))

    assert found("ыыы") == [made.name]
    Customer.objects.filter(pk=made.pk).update(name="Olga")
    assert found("ыыы") == []
