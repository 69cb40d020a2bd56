"""Search for people by what staff type: parts of the name in any order, of the e-mail address, and of tags.

Each typed word must occur in the searched text: anywhere if it has three letters or more, else at the beginning of a
word, so that a trigram index serves both. That text is a customer's ``search_text``, or the name and the e-mail address
of another row (``folded_columns``). The words are part of the statement, not parameters: so PostgreSQL plans a rare
word by the trigram index, and a frequent one along the order of names.
"""

import re

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, QuerySet, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Left

from accounts.contact.same_phones import PHONE_END, phone_end_hash
from accounts.models import SORTED_LENGTH, Customer

# A word of this many letters is found inside other words.
_INSIDE_FROM = 3
_MOST_WORDS = 8
LONGEST_SEARCH = 80
NAME_ORDER = Left("search_text", SORTED_LENGTH)
CUSTOMER_TEXT = F("search_text")


def folded_words(typed: str) -> list[str]:
    """Return the words of a search as the database folds them (a-z and 0-9); none if only punctuation was typed.

    One query.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT openhours_folded(%s)", [typed[:LONGEST_SEARCH]])
        (folded,) = cursor.fetchone()
    return str(folded).split()[:_MOST_WORDS]


def has_word(word: str, text: Combinable = CUSTOMER_TEXT) -> Func:
    """Return the condition that a folded text contains a word of ``folded_words``.

    :raises ValueError: when the word has other characters than a-z and 0-9.
    """
    if not re.fullmatch("[a-z0-9]+", word):
        raise ValueError("Only folded words may become a part of a statement.")
    pattern = word if len(word) >= _INSIDE_FROM else f" {word}"
    return _Like(text, pattern)


def has_words(typed: str, text: Combinable = CUSTOMER_TEXT) -> Q:
    """Match rows with all typed words in a folded text, in any order. Four digits may be the end of the phone number
    instead. Nothing matches punctuation alone. One query.
    """
    words = folded_words(typed)
    wanted = Q() if words else Q(pk__in=[])
    for word in words:
        here = Q(has_word(word, text))
        is_end = len(word) == PHONE_END and word.isdecimal()
        wanted &= here | Q(phone_end_hash=phone_end_hash(word)) if is_end else here
    return wanted


def with_words(customers: QuerySet[Customer], words: list[str]) -> QuerySet[Customer]:
    for word in words:
        customers = customers.filter(has_word(word))
    return customers


def folded_column(column: str) -> Func:
    """Return a text column as the database folds it: an order of names that ignores case and accents."""
    return Func(F(column), function="openhours_folded", output_field=TextField(db_collation="C"))


def folded_columns(*columns: str) -> Func:
    """Return text columns as one text that ``has_words`` searches."""
    return Func(
        *map(F, columns),
        function="openhours_folded",
        arg_joiner=" || ' ' || ",
        output_field=TextField(db_collation="C"),
    )


class _Like(Func):
    """``column LIKE '%pattern%'`` with a pattern of letters, digits and spaces."""

    output_field = BooleanField()

    def __init__(self, column: Combinable, pattern: str) -> None:
        # Escaped twice: for this template, and for the parameters of the statement.
        super().__init__(column, template=f"%(expressions)s LIKE '%%%%{pattern}%%%%'")
