"""How to address a person by a written name."""

import pytest

from accounts.contact.given_names import first_name


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Jana Weber", "Jana"),
        ("Wilhelmine-Charlotte von Schwarzenbergen", "Wilhelmine-Charlotte"),
        ("Jana", "Jana"),
        ("", ""),
        ("Dr. Anna Weber", "Anna"),
        ("Prof. Dr. med. Anna Weber", "Prof. Dr. med. Anna Weber"),
        ("Prof. Dr. Anna Weber", "Anna"),
        ("Frau Anna Weber", "Anna"),
        ("Frau Müller", "Frau Müller"),
        ("Herr Dr. Müller", "Herr Dr. Müller"),
        ("Mr Smith", "Mr Smith"),
        ("MRS. Jane Smith", "Jane"),
        ("Dr.", "Dr."),
        ("J. Smith", "J. Smith"),
        ("Weber, Anna", "Weber, Anna"),
        ("Nguyễn Thị Lan", "Nguyễn Thị Lan"),
        ("김 서연", "김 서연"),
        ("김서연", "김서연"),
        ("山田 太郎", "山田 太郎"),
        ("José García", "José"),
        ("Łukasz Żółć", "Łukasz"),
    ],
)
def test_a_name_is_cut_only_where_the_first_name_is_known(name: str, called: str) -> None:
    assert first_name(name) == called
