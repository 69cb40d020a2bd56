"""What a visit takes: phases, buffers, joined lines."""

from hypothesis import given
from hypothesis import strategies as st

from bookings.availability.claims import (
    Claim,
    LineSpec,
    Phase,
    PlacedLine,
    claims_for,
    phases_copy,
    requirements_copy,
    spec_from_copies,
    spec_of,
)

ANA, BEN, ROOM = 1, 2, 3


def test_duration_counts_all_phases_and_no_buffers():
    spec = spec_of(work_minutes=60, processing_minutes=30, finish_minutes=15, buffer_before=5, buffer_after=10)

    assert spec.duration_minutes == 105


def test_processing_leaves_the_person_free_and_the_room_taken():
    spec = spec_of(work_minutes=60, processing_minutes=30, finish_minutes=15, buffer_before=5, buffer_after=10)

    assert spec.staff_spans() == [(-5, 60), (90, 115)]
    assert spec.resource_spans() == [(-5, 115)]


def test_processing_at_the_end_keeps_the_buffer_after_it():
    spec = spec_of(work_minutes=20, processing_minutes=30, buffer_after=10)

    assert spec.staff_spans() == [(0, 20), (50, 60)]


def test_staffless_line_takes_nobody():
    spec = spec_of(work_minutes=60, needs_staff=False)

    assert spec.staff_spans() == []
    assert spec.resource_spans() == [(0, 60)]


def test_add_ons_lengthen_the_first_work_phase_and_the_own_length_replaces_it():
    spec = spec_of(work_minutes=60, processing_minutes=30, finish_minutes=15, own_work_minutes=45, add_on_minutes=20)

    assert spec.phases == (Phase("work", 65), Phase("processing", 30), Phase("work", 15))


def test_claims_are_sorted_by_resource_and_time():
    spec = spec_of(work_minutes=60, processing_minutes=30, finish_minutes=15, buffer_after=10)

    claims = claims_for([PlacedLine(spec, 1000, ANA, (ROOM,))])

    assert claims == [Claim(ANA, 1000, 1060), Claim(ANA, 1090, 1115), Claim(ROOM, 1000, 1115)]


def test_two_lines_in_a_row_with_one_person_become_one_stretch():
    spec = spec_of(work_minutes=60, buffer_before=10, buffer_after=15)

    claims = claims_for([PlacedLine(spec, 1000, ANA, ()), PlacedLine(spec, 1060, ANA, ())])

    assert claims == [Claim(ANA, 990, 1135)]


def test_two_lines_in_a_row_with_two_people_keep_their_buffers():
    spec = spec_of(work_minutes=60, buffer_before=10, buffer_after=15)

    claims = claims_for([PlacedLine(spec, 1000, ANA, (ROOM,)), PlacedLine(spec, 1060, BEN, (ROOM,))])

    assert claims == [Claim(ANA, 990, 1075), Claim(BEN, 1050, 1135), Claim(ROOM, 990, 1135)]


minutes = st.integers(0, 90)
specs = st.builds(
    spec_of,
    work_minutes=st.integers(5, 90),
    processing_minutes=minutes,
    finish_minutes=minutes,
    buffer_before=minutes,
    buffer_after=minutes,
    requirements=st.just([(7, 2)]),
    needs_staff=st.booleans(),
    add_on_minutes=minutes,
)


@given(specs)
def test_copies_on_a_line_give_the_spec_back(spec: LineSpec):
    back = spec_from_copies(
        phases=phases_copy(spec),
        buffer_before=spec.buffer_before,
        buffer_after=spec.buffer_after,
        requirements=requirements_copy(spec),
        needs_staff=spec.needs_staff,
    )

    assert back == spec


@given(st.lists(st.tuples(specs, st.integers(0, 600), st.sampled_from([ANA, BEN])), max_size=4))
def test_claims_cover_each_line_and_never_overlap(placed: list[tuple[LineSpec, int, int]]):
    lines = [PlacedLine(spec, start, staff if spec.needs_staff else None, (ROOM,)) for spec, start, staff in placed]

    claims = claims_for(lines)

    minutes_of = {
        resource: [m for c in claims if c.resource_id == resource for m in range(c[1], c[2])] for resource in (1, 2, 3)
    }
    for taken in minutes_of.values():
        assert len(taken) == len(set(taken))
    wanted: dict[int, set[int]] = {ANA: set(), BEN: set(), ROOM: set()}
    for line in lines:
        for low, high in line.spec.resource_spans():
            wanted[ROOM].update(range(line.start_minute + low, line.start_minute + high))
        for low, high in line.spec.staff_spans():
            wanted[line.staff_resource_id or 0].update(range(line.start_minute + low, line.start_minute + high))
    assert {resource: set(taken) for resource, taken in minutes_of.items()} == wanted
