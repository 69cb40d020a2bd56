"""The laws of set arithmetic, against sets of minutes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from core.intervals import Intervals, contains, difference, intersection, normalised, overlaps

raw = st.lists(st.tuples(st.integers(-20, 60), st.integers(-20, 60)), max_size=8)
sets = raw.map(normalised)
interval = st.tuples(st.integers(-20, 40), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def minutes(intervals: Intervals) -> set[int]:
    return {minute for low, high in intervals for minute in range(low, high)}


def is_normal(intervals: Intervals) -> bool:
    """Sorted, none empty, none touching the next."""
    return all(low < high for low, high in intervals) and all(
        first[1] < second[0] for first, second in pairwise(intervals)
    )


def test_normalised_joins_what_touches():
    assert normalised([(5, 7), (1, 3), (3, 5), (9, 9)]) == [(1, 7)]


def test_difference_cuts_a_hole():
    assert difference([(0, 10)], [(3, 5)]) == [(0, 3), (5, 10)]


@given(raw)
def test_normalised_keeps_the_minutes(intervals: Intervals):
    assert minutes(normalised(intervals)) == minutes(intervals)
    assert is_normal(normalised(intervals))


@given(sets)
def test_normalised_twice_is_normalised_once(intervals: Intervals):
    assert normalised(intervals) == intervals


@given(sets, sets)
def test_intersection_is_what_both_have(first: Intervals, second: Intervals):
    result = intersection(first, second)

    assert minutes(result) == minutes(first) & minutes(second)
    assert is_normal(result)
    assert result == intersection(second, first)


@given(sets, sets)
def test_difference_is_what_only_the_first_has(first: Intervals, second: Intervals):
    result = difference(first, second)

    assert minutes(result) == minutes(first) - minutes(second)
    assert is_normal(result)


@given(sets, interval)
def test_contains_means_every_minute(intervals: Intervals, wanted: tuple[int, int]):
    assert contains(intervals, wanted) is (minutes([wanted]) <= minutes(intervals))


@given(interval, interval)
def test_overlap_means_a_minute_in_common(first: tuple[int, int], second: tuple[int, int]):
    assert overlaps(first, second) is bool(minutes([first]) & minutes([second]))
