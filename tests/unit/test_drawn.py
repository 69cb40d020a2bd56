"""Markup that is written in Python because there is much of it: what comes from people is escaped."""

from storefront.templatetags.picker import calendar_days, time_buttons

HOSTILE = '"><script>alert(1)</script>&'
ESCAPED = "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;"


def test_time_has_its_place_only_where_it_is_not_clear() -> None:
    drawn = time_buttons([("1.29", "9:00", "", False), ("2.29", "9:00", "Mitte", False)])

    assert drawn == (
        '<button class="time" name="slot" value="1.29">9:00</button>'
        '<button class="time" name="slot" value="2.29">9:00<small>Mitte</small></button>'
    )


def test_held_time_says_so() -> None:
    drawn = time_buttons([("1.29", "9:00", "Mitte", True)])

    assert drawn.startswith('<button class="time time-held" name="slot" value="1.29">9:00<small><svg')
    assert drawn.endswith("Held</small></button>")


def test_time_and_place_are_escaped() -> None:
    drawn = time_buttons([(HOSTILE, HOSTILE, HOSTILE, False)])

    assert "<script" not in drawn
    assert drawn.count(ESCAPED) == 3


def test_day_that_can_be_chosen_is_a_link_and_another_is_not() -> None:
    drawn = calendar_days([("free", "/s/?a=1&day=2", "2", "May", "free", "true"), ("past", "", "1", "May", "past", "")])

    assert drawn == (
        '<td><a class="date date-free" href="/s/?a=1&amp;day=2" aria-current="date">2<span class="visually-hidden"> May'
        "</span><small>free</small></a></td>"
        '<td><span class="date date-past">1<span class="visually-hidden"> May</span><small>past</small></span></td>'
    )


def test_day_is_escaped() -> None:
    drawn = calendar_days([("free", HOSTILE, HOSTILE, HOSTILE, HOSTILE, "")])

    assert "<script" not in drawn
    assert drawn.count(ESCAPED) == 4
