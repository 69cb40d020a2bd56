"""The pure parts of the picker: which times are shown, what is near, how days and zones are put into words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bookings.availability.engine import DayMark, DayState
from bookings.wording.zones import away_sentence, shown_moment, shown_time, visitor_time, zone_named, zone_sentence
from services.enums import Delivery
from storefront.catalogue import Opening, Person, Place, ServiceOffer, VariantOffer
from storefront.presenters.calendar import calendar, merged_marks
from storefront.presenters.choice import Choice, choice_query, parsed_slot, read_choice
from storefront.presenters.opening import hours_lines, open_sentence, open_sentence_of
from storefront.presenters.sooner import lacks_times, other_people, other_places, sooner_links
from storefront.presenters.times import (
    Times,
    day_groups,
    days_words,
    may_free_words,
    more_url,
    nearest,
    spread,
    taken_words,
    without_repeats,
)

BERLIN, LISBON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Lisbon")
NOW = datetime(2026, 11, 24, 12, 40, tzinfo=UTC)
ANA, MAREK = (Person(key, name.lower(), name, name, "", key) for key, name in ((1, "Ana"), (2, "Marek")))
SHORT = VariantOffer(1, "", 60, 8000, {1: 8000, 2: 9000})
LONG = VariantOffer(2, "", 90, 11000, {1: 11000})
KREUZBERG = Place(1, "kreuzberg", "Kreuzberg", "", "", "", BERLIN)
ALFAMA = Place(2, "alfama", "Alfama", "", "", "", LISBON)
MASSAGE = ServiceOffer(
    1, "massage", "Massage", "", "", "", "", 1, True, (1, 2), (SHORT, LONG), (ANA, MAREK), horizon_days=60
)

GROUP_DAYS = ("Sat 28 Nov", "Sun 29 Nov", "Mon 30 Nov", "Tue 1 Dec")


def choice(**query: str) -> Choice:
    return read_choice(MASSAGE, [KREUZBERG, ALFAMA], query, NOW)


TODAY = date(2026, 11, 24)
FREE_TODAY = DayMark(TODAY, DayState.FREE, 9, None)


def at(day: int, hour: int, minute: int = 0, *, month: int = 11, zone: ZoneInfo = BERLIN) -> int:
    return int(datetime(2026, month, day, hour, minute, tzinfo=zone).timestamp()) // 60


def test_a_bare_address_means_the_first_length_anyone_and_all_places() -> None:
    chosen = choice()

    assert (chosen.variant, chosen.person, chosen.place) == (SHORT, None, None)
    assert (chosen.from_on, chosen.day, choice_query(chosen)) == (date(2026, 11, 24), None, "")


def test_an_address_carries_the_whole_choice() -> None:
    query = "?variant=2&with=ana&at=alfama&from=2026-12-01&day=2026-12-02"
    chosen = choice(variant="2", **{"with": "ana", "at": "alfama", "from": "2026-12-01", "day": "2026-12-02"})

    assert (chosen.variant, chosen.person, chosen.place) == (LONG, ANA, ALFAMA)
    assert choice_query(chosen) == query


@pytest.mark.parametrize(
    "query",
    [
        {"variant": "99"},
        {"variant": "2", "with": "marek"},  # does not perform that length
        {"with": "nobody"},
        {"at": "nowhere"},
        {"day": "2026-11-23"},  # past
        {"day": "2027-06-01"},  # beyond the horizon
        {"from": "tomorrow"},
    ],
)
def test_what_makes_no_sense_in_an_address_is_left_aside(query: dict[str, str]) -> None:
    chosen = choice(**query)

    assert (chosen.person, chosen.place, chosen.from_on) == (None, None, date(2026, 11, 24))
    assert chosen.day is None


def test_the_window_is_five_weeks_from_a_monday_and_follows_the_chosen_day() -> None:
    assert choice().window == (date(2026, 11, 23), date(2026, 12, 28))
    assert choice(day="2026-12-27").window == (date(2026, 11, 23), date(2026, 12, 28))
    assert choice(day="2026-12-28").window == (date(2026, 12, 28), date(2027, 2, 1))


def test_few_times_are_all_shown_and_many_are_spread_over_the_day() -> None:
    assert spread([1, 2, 3], 8) == [1, 2, 3]
    assert spread(range(0, 33), 5) == [0, 8, 16, 24, 32]


def test_the_held_time_is_always_among_the_shown_ones() -> None:
    assert spread(list(range(33)), 5, keep=10) == [0, 10, 16, 24, 32]


def test_the_nearest_times_come_from_both_sides_in_order() -> None:
    assert nearest([10, 20, 30, 40, 90], 30, 3) == [10, 20, 40]
    assert nearest([], 30, 3) == []


def test_a_taken_time_is_named_with_the_nearest_free_ones() -> None:
    starts = {1: [at(25, 14, 45), at(25, 15, 15), at(25, 16)]}

    words = taken_words(choice(at="kreuzberg", **{"with": "ana"}), starts, f"1.{at(25, 14, 30)}")

    assert words["title"] == "14:30 was just taken."
    assert words["text"] == "14:45, 15:15 and 16:00 with Ana are free."
    assert words["times"][0] == (f"1.{at(25, 14, 45)}", "14:45", "", "")


def test_near_times_on_other_days_carry_their_day() -> None:
    words = taken_words(choice(at="kreuzberg"), {1: [at(26, 9)]}, f"1.{at(25, 14, 30)}", was_taken=False)

    assert words["title"] == "Wed 25 Nov, 14:30 cannot be booked any more."
    assert words["text"] == "Thu 26 Nov, 09:00 is free."


def test_near_times_name_their_place_where_all_places_are_shown() -> None:
    words = taken_words(choice(), {2: [at(25, 14, zone=LISBON)]}, f"2.{at(25, 15, zone=LISBON)}")

    assert words["title"] == "15:00 in Alfama was just taken."
    assert words["times"] == [(f"2.{at(25, 14, zone=LISBON)}", "14:00", "", "Alfama")]


def test_the_place_stays_in_the_address_only_when_one_was_chosen() -> None:
    assert choice_query(choice(at="all")) == ""
    assert choice_query(choice(at="kreuzberg")) == "?at=kreuzberg"
    assert choice(at="kreuzberg").place == KREUZBERG


def test_an_online_service_has_no_place_to_choose_and_offers_each_instant_once() -> None:
    online = replace(MASSAGE, delivery=Delivery.ONLINE)
    chosen = read_choice(online, [KREUZBERG, replace(ALFAMA, zone=BERLIN)], {"at": "alfama"}, NOW)
    marks = {key: [DayMark(date(2026, 11, 25), DayState.FEW, 2, None)] for key in (1, 2)}
    starts = {1: [at(25, 10), at(25, 11)], 2: [at(25, 11), at(25, 12)]}

    marks, starts = without_repeats(chosen.shown_places, marks, starts)
    buttons = Times(chosen, starts, "").of(date(2026, 11, 25))

    assert chosen.place is None
    assert [(time, place) for _, (_, time, place, _) in buttons] == [("10:00", ""), ("11:00", ""), ("12:00", "")]
    assert merged_marks(marks, chosen.shown_places)[date(2026, 11, 25)].free_count == 3


def test_an_online_service_of_two_zones_says_whose_clock_each_time_is_on() -> None:
    chosen = read_choice(replace(MASSAGE, delivery=Delivery.ONLINE), [KREUZBERG, ALFAMA], {}, NOW)

    buttons = Times(chosen, {1: [at(25, 10)], 2: [at(25, 12)]}, "").of(date(2026, 11, 25))

    assert [(time, place) for _, (_, time, place, _) in buttons] == [("10:00", "Berlin time"), ("11:00", "Lisbon time")]


def test_nearest_days_are_days_with_times_and_full_ones_between_them_are_one_line() -> None:
    chosen = choice(at="kreuzberg")
    full = {day: DayMark(date(2026, 11, day), DayState.FULL, 0, None) for day in (25, 26, 27)}
    free = {day: DayMark(date(2026, 11, day), DayState.FEW, 1, None) for day in (24, 28, 29, 30)}
    december = [DayMark(date(2026, 12, day), DayState.FEW, 1, None) for day in (1, 2, 3)]
    days = {mark.on: mark for mark in [*full.values(), *free.values(), *december]}
    starts = {1: [at(mark.on.day, 17, month=mark.on.month) for mark in sorted(days.values()) if mark.free_count]}

    groups = list(day_groups(chosen, days, Times(chosen, starts, ""), "/s/massage/"))

    assert [group["near"] for group in groups] == ["Today", "Wed 25 Nov – Fri 27 Nov", *GROUP_DAYS]
    assert sum(1 for group in groups if group["times"]) == 5
    assert "from=2026-12-02" in more_url(chosen, groups, days, "/s/massage/")


def test_where_a_week_is_full_people_and_places_with_a_sooner_time_are_named() -> None:
    chosen = choice(at="kreuzberg", **{"with": "ana"})
    starts = {1: [at(3, 10, month=12)]}

    links = sooner_links(
        chosen, starts, of_people={MAREK: {1: [at(27, 10)]}}, of_places={ALFAMA: [at(26, 9)]}, url="/s/massage/"
    )

    assert lacks_times(chosen, starts)
    assert not lacks_times(chosen, {1: [at(30, 10)]})
    assert (other_people(chosen), other_places(chosen)) == ([MAREK], [ALFAMA])
    assert links == [
        ("Alfama", "Thu 26 Nov", "/s/massage/?with=ana&at=alfama"),
        ("Marek", "Fri 27 Nov", "/s/massage/?with=marek&at=kreuzberg"),
    ]


def test_people_and_places_without_a_sooner_time_are_not_named() -> None:
    chosen = choice(at="kreuzberg", **{"with": "ana"})

    links = sooner_links(
        chosen, {1: [at(3, 10, month=12)]}, of_people={MAREK: {1: [at(4, 10, month=12)]}}, of_places={}, url="/"
    )

    assert links == []
    assert (other_people(choice()), other_places(choice())) == ([], [])


def test_days_are_loaded_from_the_earliest_today_of_the_shown_places() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # the 25th in Berlin, the 24th in Lisbon

    def first(**query: str) -> date:
        return read_choice(MASSAGE, [KREUZBERG, ALFAMA], query, late).asked_from(late)

    assert (first(), first(at="kreuzberg")) == (date(2026, 11, 24), date(2026, 11, 25))
    assert first(day="2026-12-28") == date(2026, 12, 28)


def test_days_of_this_week_that_are_over_are_past_without_being_loaded() -> None:
    cells = [cell for week in calendar(choice(), {TODAY: FREE_TODAY}, "/", None)["weeks"] for cell in week]

    assert [cell[0] for cell in cells[:3]] == ["past", "free", "closed"]


@pytest.mark.parametrize(("query", "word"), [({"with": "ana"}, "–"), ({}, "closed")])
def test_a_day_off_of_the_chosen_person_is_not_called_closed(query: dict[str, str], word: str) -> None:
    cells = [cell for week in calendar(choice(**query), {}, "/", None)["weeks"] for cell in week]

    assert {cell[4] for cell in cells if cell[0] == "closed"} == {word}


def test_times_of_a_day_are_wall_times_also_when_the_clocks_change() -> None:
    night = read_choice(MASSAGE, [KREUZBERG], {}, datetime(2026, 10, 24, 12, tzinfo=UTC))
    before, after = at(25, 1, month=10), at(25, 9, month=10)

    buttons = Times(night, {1: [before, after]}, "").of(date(2026, 10, 25))

    assert [button[1] for _, button in buttons] == ["01:00", "09:00"]
    assert after - before == 9 * 60


def test_times_of_all_places_name_their_place_and_follow_the_clock() -> None:
    both = choice(at="all")
    starts = {1: [at(25, 10), at(25, 12)], 2: [at(25, 11, zone=LISBON)]}

    buttons = Times(both, starts, f"1.{at(25, 12)}").of(date(2026, 11, 25))

    assert [(time, place, held) for _, (_, time, place, held) in buttons] == [
        ("10:00", "Kreuzberg", False),
        ("11:00", "Alfama", False),
        ("12:00", "Kreuzberg", True),
    ]


def test_marks_of_two_places_become_one() -> None:
    on, other = date(2026, 11, 25), date(2026, 11, 26)
    marks = {
        1: [DayMark(on, DayState.FEW, 2, None), DayMark(other, DayState.FULL, 0, 500)],
        2: [DayMark(on, DayState.FEW, 3, None), DayMark(other, DayState.CLOSED, 0, None)],
    }

    merged = merged_marks(marks, [KREUZBERG, ALFAMA])

    assert merged == {on: DayMark(on, DayState.FREE, 5, None), other: DayMark(other, DayState.FULL, 0, 500)}


@pytest.mark.parametrize("slot", ["", "1", "1.", ".5", "1.-5", "a.5", "1.5.6", "１.5", "1." + "9" * 9, "9" * 19 + ".5"])
def test_anything_but_place_and_minute_is_no_slot(slot: str) -> None:
    with pytest.raises(ValueError):
        parsed_slot(slot)


def test_the_zone_sentence_says_how_far_away_the_visitor_is() -> None:
    assert zone_sentence(BERLIN, None, NOW) == "Times are Berlin time."
    assert zone_sentence(BERLIN, ZoneInfo("Europe/Paris"), NOW) == "Times are Berlin time."
    assert zone_sentence(BERLIN, LISBON, NOW) == "Times are Berlin time. You are in Lisbon, one hour behind."
    kolkata = ZoneInfo("Asia/Kolkata")
    assert zone_sentence(BERLIN, kolkata, NOW) == "Times are Berlin time. You are in Kolkata, 4 h 30 min ahead."


def test_of_several_zones_each_that_differs_from_the_visitors_is_named() -> None:
    new_york = ZoneInfo("America/New_York")

    assert away_sentence([BERLIN, LISBON], None, NOW) == ""
    assert away_sentence([BERLIN], ZoneInfo("Europe/Paris"), NOW) == ""
    assert away_sentence([BERLIN, LISBON], BERLIN, NOW) == "You are in Berlin: one hour ahead (Lisbon)."
    assert away_sentence([BERLIN, LISBON], new_york, NOW) == (
        "You are in New York: 6 hours behind (Berlin), 5 hours behind (Lisbon)."
    )


def test_the_visitors_time_is_that_of_the_day_of_the_visit() -> None:
    # Berlin and New York change their clocks on different days: six hours apart on most of them, five in between.
    new_york = ZoneInfo("America/New_York")

    assert visitor_time(datetime(2026, 11, 24, 13, tzinfo=UTC), BERLIN, new_york) == "08:00 in New York"
    assert visitor_time(datetime(2026, 10, 27, 13, tzinfo=UTC), BERLIN, new_york) == "09:00 in New York"


@pytest.mark.parametrize("name", ["", "Berlin", "No/Land", "../etc/passwd", "/etc/localtime", "Europe/" + 300 * "x"])
def test_a_browser_cannot_name_a_zone_that_does_not_exist(name: str) -> None:
    assert zone_named(name) is None


def test_hours_of_equal_days_are_drawn_together() -> None:
    opening = Opening((*((day, 510, 1200) for day in range(5)), (5, 600, 720), (5, 780, 1500)), None)

    assert hours_lines(opening) == ["Mon–Fri 08:30–20:00", "Sat 10:00–12:00, 13:00–01:00"]


@pytest.mark.parametrize(
    ("hour", "sentence"),
    [(7, "Opens today at 08:30"), (12, "Open today until 20:00"), (21, "Closed for today")],
)
def test_today_is_told_from_where_the_clock_stands(hour: int, sentence: str) -> None:
    opening = Opening(((1, 510, 1200),), None)

    assert open_sentence([opening], datetime(2026, 11, 24, hour, tzinfo=BERLIN)) == sentence


def test_a_special_day_replaces_the_weekly_hours() -> None:
    noon = datetime(2026, 11, 24, 12, tzinfo=BERLIN)

    assert open_sentence([Opening(((1, 510, 1200),), ())], noon) == "Closed today"
    holiday = Opening(((1, 510, 1200),), (), "Public holiday")
    assert open_sentence([holiday, holiday], noon) == "Closed today: Public holiday"
    assert open_sentence([holiday, Opening((), (), "Flood")], noon) == "Closed today"
    assert open_sentence([holiday, Opening((), ((540, 600),), "Flood")], noon) == "Closed for today"
    assert open_sentence([Opening((), ((660, 780),))], noon) == "Open today until 13:00"


def test_several_places_are_named_with_their_hours_and_zones() -> None:
    berlin = Place(1, "mitte", "Mitte", "", "", "", BERLIN)
    other = replace(berlin, id=2, slug="wedding", name="Wedding")
    lisbon = replace(berlin, id=3, slug="alfama", name="Alfama", zone=ZoneInfo("Europe/Lisbon"))
    noon = datetime(2026, 11, 24, 12, tzinfo=BERLIN)
    short, long = Opening(((1, 540, 1080),), None), Opening(((1, 540, 1200),), None)

    assert open_sentence_of([berlin, other], {1: long, 2: long}, noon) == "Open today until 20:00"
    assert open_sentence_of([berlin, other], {1: short, 2: long}, noon) == "Open today until 20:00 (Wedding)"
    assert open_sentence_of([berlin, lisbon], {1: long, 3: long}, noon) == (
        "Open today until 20:00 (Alfama, Lisbon time)"
    )
    early = datetime(2026, 11, 24, 8, tzinfo=BERLIN)
    assert open_sentence_of([lisbon, berlin], {1: long, 3: long}, early) == "Opens today at 09:00 (Mitte, Berlin time)"
    assert open_sentence_of([berlin, other], {}, noon) == ""


def test_a_repeated_hour_names_its_clock_on_the_buttons() -> None:
    night = choice(day="2026-11-25")
    day = date(2027, 10, 31)
    first = int(datetime(2027, 10, 31, 0, 30, tzinfo=UTC).timestamp()) // 60

    buttons = [text for _, (_, text, *_) in Times(night, {1: [first - 60, first, first + 60, first + 120]}, "").of(day)]

    assert buttons == ["01:30", "02:30 CEST", "02:30 CET", "03:30"]


def test_full_days_are_named_without_the_closed_ones_between_them() -> None:
    days = [date(2026, 11, 29), date(2026, 11, 30), date(2026, 12, 2)]

    assert days_words(days) == "Sun 29 Nov – Mon 30 Nov, Wed 2 Dec"
    assert days_words(days[:1]) == "Sun 29 Nov"


def test_what_may_come_free_on_another_day_says_which() -> None:
    today, tomorrow = at(24, 18, 10), at(25, 18, 10)
    marks = [DayMark(date(2026, 11, 26), DayState.FULL, 0, minute) for minute in (today, tomorrow)]

    assert may_free_words(marks, choice()) == "A time is on hold. It may come free at 18:10."
    assert may_free_words(marks[1:], choice()) == "A time is on hold. It may come free on Wed 25 Nov at 18:10."


def test_a_visitor_elsewhere_reads_both_clocks() -> None:
    at_six = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)

    assert shown_time(at_six, LISBON, None) == "17:00"
    assert shown_time(at_six, LISBON, LISBON) == "17:00"
    assert shown_time(at_six, LISBON, BERLIN) == "17:00 (Lisbon time, 18:00 in Berlin)"
    assert shown_moment(at_six, LISBON, BERLIN) == "Fri 27 Nov, 17:00 (Lisbon time, 18:00 in Berlin)"
