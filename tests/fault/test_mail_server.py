"""The mail server is down, refuses, or breaks off: every e-mail arrives, and twice only where an answer was lost."""

import time

import pytest

from tests.fault.conftest import Site


@pytest.mark.parametrize("fault", ["reset", "blackhole"])
def test_the_mail_server_is_away_for_a_while(site: Site, fault: str) -> None:
    site.stack.proxies["smtp"].set_mode(fault)  # type: ignore[arg-type]
    [(first, link), (second, _)] = site.book(2)
    site.cancel(first, link)
    site.stack.wait_until(lambda: site.attempts() > 0, what="a try")
    assert site.stack.mailbox.mails() == []

    site.stack.proxies["smtp"].set_mode("pass")
    site.wait_until_all_is_told()

    # What is no longer true when the server comes back stays unsaid, unless it hung on the way already.
    assert site.subjects(first) in (["Cancelled"], ["You are booked", "Cancelled"])
    assert site.subjects(second) == ["You are booked"]
    assert site.statuses()["sent"] + site.statuses()["cancelled"] == 6
    assert site.repeats() == 0


def test_mails_about_one_booking_keep_their_order_through_trouble(site: Site) -> None:
    with site.guest() as guest:
        site.stack.mailbox.fail(guest.email, "451", times=1)
        link = guest.book()
        site.stack.wait_until(lambda: site.statuses()["temporary-failure"] == 1, what="the first refusal")
        guest.move(link)
        site.stack.mailbox.fail(guest.email, "421", times=1)
        guest.cancel(link)
        site.seconds += guest.seconds
        email = guest.email

    site.stack.wait_until(lambda: (site.let_time_pass(), site.waiting() == 0)[1], 60, "every message is sent")

    told = site.subjects(email)
    assert told == sorted(told, key=["You are booked", "Moved", "Cancelled"].index)
    assert told[-1] == "Cancelled"
    assert site.repeats() == 0


def test_a_mailbox_that_does_not_exist_stops_nobody_else(site: Site) -> None:
    with site.guest("nobody@example.com") as guest:
        site.stack.mailbox.fail(guest.email, "550")
        guest.book()
    [(email, _)] = site.book()

    site.wait_until_all_is_told()

    assert site.subjects(email) == ["You are booked"]
    assert site.statuses() == {"sent": 3, "permanent-failure": 1}
    assert site.stack.query("select error from notifications_notification where status = 'permanent-failure'") == [
        ("550 5.1.1 No such mailbox",)
    ]


@pytest.mark.parametrize(("mode", "repeats"), [("drop_early", 0), ("drop_before", 1), ("drop_after", 0)])
def test_the_connection_breaks_around_the_answer(site: Site, mode: str, repeats: int) -> None:
    with site.guest() as guest:
        site.stack.mailbox.fail(guest.email, mode, times=1)  # type: ignore[arg-type]
        guest.book()
        email = guest.email
    site.stack.wait_until(lambda: site.attempts() >= 2 or site.waiting() == 0, what="the first tries")

    site.wait_until_all_is_told()

    assert site.repeats() == repeats
    assert site.subjects(email) == ["You are booked"] * (1 + repeats)
    assert site.statuses() == {"sent": 2}


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_three_minutes_without_a_mail_server_then_two_of_refusals(site: Site) -> None:
    """In real time, nobody helps the clock: everything has arrived ten minutes after the server is back."""
    site.stack.proxies["smtp"].set_mode("reset")
    guests = []
    for _ in range(18):
        guests += site.book()
        time.sleep(10)
    site.stack.mailbox.fail("*", "421")
    site.stack.proxies["smtp"].set_mode("pass")
    for _ in range(12):
        guests += site.book()
        time.sleep(10)
    assert site.stack.mailbox.mails() == []

    site.stack.mailbox.recover()
    site.wait_until_all_is_told(600, hurry=False)

    assert all(site.subjects(email) == ["You are booked"] for email, _ in guests)
    assert site.statuses() == {"sent": 60}
    assert site.repeats() == 0
