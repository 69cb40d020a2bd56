"""Many customers, and what staff type to find one of them."""

import random
import time
from datetime import datetime
from itertools import product

from django.db import connection

from dashboard.permissions import Rights
from dashboard.phone_booking.callers import found_callers
from staff.enums import Role

FIRST = (  # noqa: SIM905 (shorter to read)
    "Anna Jonas Mia Paul Zoë Łukasz Marie Ali Emma Noah Lena Felix Ida José Clara Otto Nora Max Ella Tim Lea Ben Sofía "
    "Jan Hannah Leo Marta Finn Julia Tom Olga Erik Ewa Karl Sara Ian Ruth Hugo Vera Nils"
).split()
_HEADS = ("Bau", "Beck", "Feld", "Gross", "Hart", "Kern", "Lang", "Mül", "Neu", "Ost", "Rei", "Schu", "Wald", "Wein")
_MIDDLES = ("en", "er", "il", "ing", "o", "un")
_ENDS = ("bach", "berg", "dorf", "feld", "haus", "hofer", "ler", "mann", "mayer", "meister", "schmidt", "stein", "wig")
LAST = ["".join(parts) for parts in product(_HEADS, _MIDDLES, _ENDS)]

_INSERT = """
INSERT INTO accounts_customer (name, email, email_normalised, phone, phone_hash, phone_end_hash, language, notes,
    tags, is_blocked, is_prepayment_exempt, created_at)
SELECT f.name || ' ' || l.name, lower(l.name) || n || '@example.com', lower(l.name) || n || '@example.com',
    '', '', '', 'en', '', '{}', false, false, now() - make_interval(mins => n)
FROM generate_series(1, %(count)s) n
JOIN LATERAL (SELECT (%(first)s::text[])[1 + mod(n * 7, %(firsts)s)] AS name) f ON true
JOIN LATERAL (SELECT (%(last)s::text[])[1 + mod(n / 3, %(lasts)s)] AS name) l ON true
"""


def fill(count: int) -> None:
    """Write customers whose names repeat as those of a town do."""
    with connection.cursor() as cursor:
        lists = {"first": FIRST, "last": LAST, "firsts": len(FIRST), "lasts": len(LAST)}
        cursor.execute(_INSERT, {"count": count, **lists})
        cursor.execute("VACUUM ANALYZE accounts_customer")


def typed_texts() -> list[str]:
    """Return what a receptionist types: beginnings, whole names in both orders, parts of addresses, and slips."""
    chosen = random.Random(7)
    texts = ["an", "zoe", "mann", "stein 7", "nobody here", "example.com", "wal", "0172"]
    for _ in range(42):
        first, last = chosen.choice(FIRST), chosen.choice(LAST)
        texts += [last[:4], f"{first} {last}", f"{last} {first[:2]}", f"{last.lower()}{chosen.randrange(2000)}@"]
    return texts


def search(typed: str, now: datetime) -> float:
    """Return the seconds that the search of the phone booking takes for an owner."""
    rights = Rights({None: frozenset({Role.OWNER})})
    begun = time.perf_counter()
    found_callers(rights, typed, now)
    return time.perf_counter() - begun
