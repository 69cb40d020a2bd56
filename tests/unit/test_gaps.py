"""Best times first: what a visit leaves of a free stretch, and in which order starts are offered."""

import pytest
from hypothesis import HealthCheck, given, settings

from bookings.availability.engine import free_starts
from bookings.availability.gaps import NO_FIT, Filler, Fit, Start, best_first, fit_in, fitting_starts
from tests.oracle import World
from tests.worlds import VARIANT_ID, facts_of, worlds

# The shortest popular service takes 40 minutes with the time around it, and costs 60.00.
FORTY = Filler(40, 6000)


@pytest.mark.parametrize(
    ("stretch", "visit", "fit"),
    [
        pytest.param((0, 60), (0, 60), Fit(0, 0, 2), id="fills it"),
        pytest.param((0, 100), (0, 60), Fit(0, 0, 1), id="leaves room for one more"),
        pytest.param((0, 100), (40, 100), Fit(0, 0, 1), id="the same at the end"),
        pytest.param((0, 75), (0, 60), Fit(15, 2250, 1), id="leaves a quarter of an hour"),
        pytest.param((0, 110), (15, 75), Fit(50, 7500, 0), id="leaves too little on both sides"),
        pytest.param((0, 300), (100, 160), Fit(0, 0, 0), id="in the middle of a free morning"),
        pytest.param((0, 30), (0, 30), Fit(-30, -4500, 2), id="fills what nobody could book"),
    ],
)
def test_what_a_visit_leaves(stretch: tuple[int, int], visit: tuple[int, int], fit: Fit) -> None:
    assert fit_in(stretch, visit, FORTY) == fit


def test_without_a_popular_service_no_gap_costs_anything() -> None:
    assert fit_in((0, 75), (0, 60), Filler(0, 0)) == Fit(0, 0, 1)


def test_the_cheapest_gap_comes_first_then_the_tightest_then_the_earliest() -> None:
    dear, loose = Start(10, 1, Fit(15, 2250, 1)), Start(20, 1, NO_FIT)
    tight, later = Start(40, 2, Fit(0, 0, 1)), Start(50, 1, Fit(0, 0, 1))

    assert best_first([dear, loose, later, tight]) == [tight, later, loose, dear]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(worlds())
def test_ranking_offers_exactly_the_free_starts_with_somebody_who_is_free(world: World) -> None:
    facts = facts_of(world)
    for place_id in world.sold.place_ids:
        starts = fitting_starts(facts, VARIANT_ID, place_id, {1: FORTY, 2: Filler(25, 4000)})

        assert [start.minute for start in starts] == free_starts(facts, VARIANT_ID)[place_id]
        assert sorted(best_first(starts)) == sorted(starts)
        for start in starts:
            own = free_starts(facts, VARIANT_ID, staff_member_id=start.staff_member_id)[place_id]
            assert start.minute in own
