"""The statement that counts the to-dos is built once, so nothing in it may depend on the moment it was built."""

from datetime import datetime, timedelta

import pytest

from dashboard import todo
from dashboard.permissions import Act

EVERYTHING = frozenset({Act.APPROVE, Act.HANDLE_PRIVACY, Act.WATCH_READING})


@pytest.mark.parametrize("places", [None, frozenset({1}), frozenset({1, 2})])
@pytest.mark.parametrize("own", [None, 5])
@pytest.mark.parametrize("held", [EVERYTHING, frozenset()])
def test_every_moment_of_the_count_is_near_the_moment_of_asking(places, own, held):
    _, parameters = todo._counting(places, own, answers_at=places, held=held)

    distances = [each for each in parameters if isinstance(each, timedelta)]
    assert distances
    assert not any(isinstance(each, datetime) for each in parameters)
    assert all(abs(each) <= todo.OPEN_FOR for each in distances)


def test_readers_of_different_places_have_different_statements():
    everywhere, _ = todo._counting(None, None, answers_at=None, held=EVERYTHING)
    here, _ = todo._counting(frozenset({1}), None, answers_at=None, held=EVERYTHING)
    without_answers, _ = todo._counting(None, None, answers_at=frozenset(), held=frozenset())
    assert len({everywhere, here, without_answers}) == 3
