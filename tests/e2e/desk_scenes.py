"""Every page of the desk, each with the way that leads to it. Importing this adds them to ``scenes.SCENES``."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as StillThere

from demo.management.commands.demo import PASSWORD
from demo.sign_ins import demo_secret
from tests.e2e.scenes import LONG_NAME, Stage, confirmed, scene
from tests.e2e.steps import FAR_DAYS, SERVICE, Person, mail_about, run_out, somebody
from tests.signing_in import code_of
from tests.stack import RUNNING, Stack

OWNER, MANAGER = "olivia@linden.example", "jonas@linden.example"
FRONT_DESK, THERAPIST = "leyla@linden.example", "ana@linden.example"
# Pages that hand out data ask again when the proof is five minutes old.
FRESH_SECONDS = 200
_SIGNED_IN: dict[tuple[str, str], tuple[float, list[Any]]] = {}
# The front desk works at this place; its days are those of this zone.
KREUZBERG = "location_id = (select id from services_location where slug = 'kreuzberg')"
# The messages about the booking of one customer, and those of them that are just being sent.
OF_ONE = (
    "from notifications_notification where subject_ref ="
    " (select 'booking:' || id from bookings_booking where contact_email = %s)"
)
LEAVING = "status in ('queued', 'sending') and not_before <= now()"


def sign_in(page: Page, email: str = OWNER) -> None:
    """Sign in, or go on with the session of a scene before, while its proof is fresh enough for every page."""
    page.goto("/desk/sign-in")
    key = (_origin(page), email)
    began_at, cookies = _SIGNED_IN.get(key, (0.0, []))
    if cookies and monotonic() - began_at < FRESH_SECONDS:
        page.context.add_cookies(cookies)
        page.goto("/desk/sign-in")
    if urlsplit(page.url).path == "/desk/sign-in":
        type_password(page, email)
        type_code(page, email)
        _SIGNED_IN[key] = (
            monotonic(),
            [each for each in page.context.cookies() if each["name"] in {"session", "csrf"}],
        )
    expect(page.get_by_role("link", name="Calendar", exact=True)).to_be_visible()


def _origin(page: Page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"


def type_password(page: Page, email: str = OWNER) -> None:
    page.goto("/desk/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Is it really you")).to_be_visible()


def type_code(page: Page, email: str = OWNER) -> None:
    """Type the code that the app of a demo user shows now. It goes on by itself, or by its button without scripts.

    A code counts once, but tests sign in more often than every half minute, so the site forgets which was used.
    """
    RUNNING[_origin(page)].query("update mfa_authenticator set data = data - 'last_step'")
    page.get_by_label("Code from your app").fill(code_of(demo_secret(email)))
    try:
        page.wait_for_url(lambda url: "second-step" not in url, timeout=3000)
    except StillThere:
        page.get_by_role("button", name="Go on").click()


def past_booking(site: Stack) -> str:
    """A visit of today or before at which somebody still has to say whether they came; its reference."""
    [(reference,)] = site.query(
        "update bookings_booking set status = 'confirmed' where id = ("
        " select id from bookings_booking where status = 'completed' and bill_id is not null"
        f" and {KREUZBERG} and starts_at > now() - interval '10 days' order by starts_at desc limit 1"
        ") returning reference"
    )
    return str(reference)


def owe(site: Stack, reference: str, gross_minor: int) -> None:
    """Put something more on the bill, so that it is open."""
    site.query(
        "insert into payments_billline (bill_id, subject_ref, kind, text, quantity, net_minor, tax_basis_points,"
        " tax_minor, gross_minor, created_at) select bill_id, 'booking:' || id, 'add_on', 'Aroma oil, a large bottle',"
        " 1, %s, 0, 0, %s, now() from bookings_booking where reference = %s",
        gross_minor,
        gross_minor,
        reference,
    )


def _past_and_owing(stage: Stage) -> str:
    reference = past_booking(stage.site)
    owe(stage.site, reference, 4000)
    sign_in(stage.page)
    return reference


@scene
def desk_sign_in(stage: Stage) -> None:
    stage.page.goto("/desk/")


@scene
def desk_second_step(stage: Stage) -> None:
    type_password(stage.page)


@scene
def desk_second_step_refused(stage: Stage) -> None:
    type_password(stage.page)
    stage.page.get_by_label("Code from your app").fill("000000")
    expect(stage.page.get_by_role("alert")).to_contain_text("not right")


@scene
def desk_set_up(stage: Stage) -> None:
    """A new user of the team, who has no second step yet."""
    begin_set_up(stage)


@scene
def desk_recovery_codes(stage: Stage) -> None:
    begin_set_up(stage)
    secret = stage.page.locator(".account-secret").inner_text().replace(" ", "")
    stage.page.get_by_label("The six digits").fill(code_of(secret))
    expect(stage.page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()


def begin_set_up(stage: Stage) -> None:
    """Sign in as somebody whose second step was reset."""
    reset = "delete from mfa_authenticator where user_id = (select id from accounts_user where email = %s)"
    stage.site.query(reset, MANAGER)
    # Afterwards the new app goes, and the demo gives the user the old one.
    stage.afterwards.callback(stage.site.manage, "demo")
    stage.afterwards.callback(stage.site.query, reset, MANAGER)
    stage.page.goto("/desk/sign-in")
    stage.page.get_by_label("E-mail").fill(MANAGER)
    stage.page.get_by_label("Password").fill(PASSWORD)
    stage.page.get_by_role("button", name="Sign in").click()
    expect(stage.page.get_by_role("heading", name="Set up your second step")).to_be_visible()


@scene
def desk_sign_in_refused(stage: Stage) -> None:
    stage.page.goto("/desk/sign-in")
    stage.page.get_by_label("E-mail").fill("nobody@linden.example")
    stage.page.get_by_label("Password").fill("guessed")
    stage.page.get_by_role("button", name="Sign in").click()
    expect(stage.page.get_by_role("alert")).to_contain_text("do not belong together")


def full_day() -> str:
    """A Tuesday on which most of the team works."""
    today = datetime.now(tz=UTC).date()
    return (today + timedelta(days=(1 - today.weekday()) % 7 or 7)).isoformat()


@scene
def desk_day(stage: Stage) -> None:
    """Everybody, with rooms, the one with the longest name and one booking open."""
    [(reference,)] = stage.site.query(
        "update bookings_booking set contact_name = %s where id = ("
        f" select id from bookings_booking where {KREUZBERG} and status = 'confirmed' and starts_at::date = %s"
        " order by starts_at limit 1) returning reference",
        LONG_NAME,
        full_day(),
    )
    sign_in(stage.page)
    stage.page.goto(f"/desk/?at=kreuzberg&on={full_day()}&others=1&rooms=1&b={reference}")


@scene
def desk_day_of_all(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/?at=all&on={full_day()}")


@scene
def desk_day_person(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/?at=kreuzberg&on={full_day()}&who=ana")


def ask_for_time_off(stage: Stage, reason: str) -> None:
    """Let two therapists ask for the same hours of the full day."""
    off = "staff_timeoff where reason = '" + reason + "'"
    stage.change(
        "insert into staff_timeoff (resource_id, during, status, reason) select resource_id, tstzrange("
        f"'{full_day()} 10:30+01', '{full_day()} 15:00+01'), 'requested', '{reason}' from staff_staffmember"
        " where slug in ('ana', 'greta') returning 1",
        f"delete from {off} returning 1",
    )


@scene
def desk_day_request(stage: Stage) -> None:
    """Time off that is asked for, beside bookings and free time."""
    ask_for_time_off(stage, "Appointment at the authorities")
    sign_in(stage.page)
    stage.page.goto(f"/desk/?at=kreuzberg&on={full_day()}")


@scene
def desk_week_request(stage: Stage) -> None:
    ask_for_time_off(stage, "Dentist")
    sign_in(stage.page, FRONT_DESK)
    stage.page.goto(f"/desk/?at=kreuzberg&on={full_day()}&view=week&who=ana")


@scene
def desk_week(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/?at=kreuzberg&on={full_day()}&view=week&who=ana")


@scene
def desk_list(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/?view=list&on={full_day()}")


@scene
def desk_day_therapist(stage: Stage) -> None:
    sign_in(stage.page, THERAPIST)


@scene
def desk_day_empty(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/?on=2099-12-31")


@scene
def desk_bookings(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/bookings/?q=an&sort=customer")


@scene
def desk_bookings_empty(stage: Stage) -> None:
    """Nothing fits, and one filter is left out."""
    sign_in(stage.page)
    stage.page.goto("/desk/bookings/?q=zzzz&status=cancelled&from=tomorrow")


@scene
def desk_customers(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/customers/?sort=visit")


@scene
def desk_booking(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/")


@scene
def desk_take(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/take")


@scene
def desk_refund_refused(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/refund")
    stage.page.get_by_label("Amount").fill("99999")
    stage.page.locator(".step-buttons button").click()
    expect(stage.page.get_by_role("alert")).to_be_visible()


@scene
def desk_no_show(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/no-show")


@scene
def desk_cancel(stage: Stage) -> None:
    sign_in(stage.page)
    ahead = f"status = 'confirmed' and {KREUZBERG} and starts_at > now() + interval '1 day'"
    [(reference,)] = stage.site.query(
        f"select reference from bookings_booking where {ahead} order by starts_at limit 1"
    )
    stage.page.goto(f"/desk/bookings/{reference}/cancel")
    stage.page.get_by_label("The customer, who called").check()


@scene
def desk_reply(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/reply")


@scene
def desk_customer(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.page.goto(f"/desk/bookings/{reference}/trust")


def two_customers(site: Stack) -> tuple[str, str]:
    """References of two customers with visits and the same telephone number."""
    rows = site.query(
        "select reference, phone, phone_hash from accounts_customer c where merged_into_id is null and phone <> ''"
        " and exists (select 1 from bookings_booking b where b.customer_id = c.id and b.status = 'completed')"
        " order by id limit 2"
    )
    (first, phone, phone_hash), (second, *_) = rows
    site.query(
        "update accounts_customer set phone = %s, phone_hash = %s where reference = %s", phone, phone_hash, second
    )
    return str(first), str(second)


@scene
def desk_customer_merge_choose(stage: Stage) -> None:
    first, _ = two_customers(stage.site)
    sign_in(stage.page)
    stage.page.goto(f"/desk/customers/{first}/")
    stage.page.get_by_role("link", name="Same person as…").click()
    expect(stage.page.get_by_role("heading", name="Same e-mail or phone number")).to_be_visible()


@scene
def desk_customer_merge(stage: Stage) -> None:
    desk_customer_merge_choose(stage)
    stage.page.locator(".merge-matches a").first.click()
    expect(stage.page.get_by_role("button", name="Merge into one record")).to_be_visible()


@scene
def desk_hands(stage: Stage) -> None:
    reference = _past_and_owing(stage)
    stage.site.query(
        "insert into payments_moneyalert (kind, key, subject_ref, details, created_at, resolved_by, resolution)"
        " select kind, kind || ':' || b.reference, 'booking:' || b.id, '{}', now(), '', ''"
        " from bookings_booking b, unnest(array['refund_failed', 'late_payment', 'dispute']) kind"
        " where b.reference = %s",
        reference,
    )
    stage.page.goto("/desk/hands/")


@scene
def desk_alert(stage: Stage) -> None:
    desk_hands(stage)
    stage.page.get_by_role("link", name="Settled").first.click()
    expect(stage.page.get_by_label("How was it settled?")).to_be_visible()


@scene
def desk_payments(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.get_by_role("link", name="Payments").click()
    stage.page.get_by_role("link", name="7 days").click()
    expect(stage.page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")


@scene
def desk_message_log(stage: Stage) -> None:
    """One message about a booking arrived, one could not, and one stopped the worker."""
    jana = confirmed(stage)
    stage.site.wait_until(lambda: not stage.site.query(f"select 1 {OF_ONE} and {LEAVING}", jana.email), what="all left")
    stage.site.query(
        "update notifications_notification set status = v.status, error = v.error, lost_claims = v.lost from ("
        f" select id, row_number() over (order by id desc) as place {OF_ONE}) n"
        " join (values (1, 'technical-failure', 'Sending this stopped the worker 3 times.', 3),"
        " (2, 'permanent-failure', '550 5.1.1 No such mailbox', 0), (3, 'delivered', '', 0))"
        " v(place, status, error, lost) on v.place = n.place where notifications_notification.id = n.id",
        jana.email,
    )
    sign_in(stage.page)
    stage.page.goto("/desk/messages/log/")


def own_visit(site: Stack) -> str:
    """The reference of the next confirmed visit of the therapist who signs in."""
    [(reference,)] = site.query(
        "select b.reference from bookings_booking b join bookings_bookingline l on l.booking_id = b.id"
        " join staff_staffmember m on m.id = l.staff_member_id join accounts_user u on u.id = m.user_id"
        " where u.email = %s and b.status = 'confirmed' and b.starts_at > now() order by b.starts_at limit 1",
        THERAPIST,
    )
    return str(reference)


@scene
def desk_me_week(stage: Stage) -> None:
    sign_in(stage.page, THERAPIST)
    stage.page.goto("/desk/me/?view=list")


@scene
def desk_me_visit(stage: Stage) -> None:
    sign_in(stage.page, THERAPIST)
    stage.page.goto(f"/desk/bookings/{own_visit(stage.site)}/visit")


@scene
def desk_me_time_off(stage: Stage) -> None:
    sign_in(stage.page, THERAPIST)
    stage.page.goto("/desk/me/time-off")


@scene
def desk_move(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/bookings/{own_visit(stage.site)}/move")


def christmas(stage: Stage) -> Page:
    """Fill in the form that closes the full day at all places. The page that comes next lists the bookings of it."""
    stage.afterwards.callback(stage.site.query, "delete from services_closure where reason = 'Company outing'")
    sign_in(stage.page)
    stage.page.goto("/desk/closures/new")
    stage.page.get_by_label("First day").fill(full_day())
    stage.page.get_by_label("Reason").fill("Company outing")
    return stage.page


@scene
def desk_closures(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/closures/")


@scene
def desk_closure_new(stage: Stage) -> None:
    page = christmas(stage)
    page.get_by_text("Other hours than usual").click()


@scene
def desk_closure_refused(stage: Stage) -> None:
    page = christmas(stage)
    page.get_by_text("Other hours than usual").click()
    page.locator("[name=from_1]").fill("14")
    page.locator("[name=until_1]").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The end must come after the start.").first).to_be_visible()


@scene
def desk_closure_hits(stage: Stage) -> None:
    """The question about the bookings of a day that is to be closed."""
    page = christmas(stage)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="would be outside the hours")).to_be_visible()


@scene
def desk_outside_hours(stage: Stage) -> None:
    stage.change(
        "insert into bookings_outsidehours (booking_id, sequence, since) select id, ical_sequence, now() from"
        f" bookings_booking where {KREUZBERG} and status = 'confirmed' and starts_at::date = '{full_day()}' limit 4",
        "delete from bookings_outsidehours",
    )
    sign_in(stage.page)
    stage.page.goto("/desk/outside-hours/")


@scene
def desk_outside_hours_none(stage: Stage) -> None:
    sign_in(stage.page, FRONT_DESK)
    stage.page.goto("/desk/outside-hours/")


@scene
def desk_keep(stage: Stage) -> None:
    desk_outside_hours(stage)
    stage.page.get_by_role("link", name="Keep").first.click()
    expect(stage.page.get_by_role("button", name="Keep it as it is")).to_be_visible()


@scene
def desk_moved(stage: Stage) -> None:
    """Beside the calendar, within the minute in which the move can be undone."""
    page, reference = stage.page, own_visit(stage.site)
    sign_in(page)
    page.goto(f"/desk/bookings/{reference}/move?back=/desk/?b={reference}")
    for _ in range(14):
        if page.locator(".move-times a").count():
            break
        page.get_by_role("link", name="Day after").click()
    page.locator(".move-times a").last.click()
    page.locator(".step-buttons button").click()
    expect(page.locator("[data-undo-until]")).to_be_visible()


@scene
def desk_length(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/bookings/{own_visit(stage.site)}/length")


@scene
def desk_length_ask(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/bookings/{own_visit(stage.site)}/length?minutes=50")


@scene
def desk_time_off(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto("/desk/time-off/")


@scene
def desk_why(stage: Stage) -> None:
    """One therapist, rule by rule, at a time outside the hours."""
    sign_in(stage.page)
    stage.page.goto(f"/desk/why/?at=kreuzberg&who=ana&on={full_day()}")
    stage.page.get_by_label("Time").fill("23:30")
    stage.page.get_by_role("button", name="Ask").click()
    expect(stage.page.get_by_role("heading", name="Rule by rule")).to_be_visible()


@scene
def desk_why_anyone(stage: Stage) -> None:
    sign_in(stage.page)
    stage.page.goto(f"/desk/why/?at=kreuzberg&on={full_day()}")
    stage.page.get_by_label("Time").fill("10:00")
    stage.page.get_by_role("button", name="Ask").click()
    expect(stage.page.get_by_role("heading", name="Therapist by therapist")).to_be_visible()


def hold_for_caller(page: Page, customer: Person) -> None:
    """Hold a time far ahead for a new customer, as the front desk does on the phone."""
    far = datetime.now(tz=UTC).date() + timedelta(days=FAR_DAYS)
    # Other tests may have taken the whole of the first days.
    for day in (far + timedelta(days=each) for each in range(21)):
        page.goto(f"/desk/book/?at=kreuzberg&service={SERVICE}&who=ana&on={day}")
        if page.locator(".booking-time").count():
            break
    page.get_by_role("button", name="New customer").click()
    # The search above has all three words in its label.
    page.get_by_label("Name", exact=True).fill(customer.name)
    page.locator("#id_phone").fill(customer.phone)
    page.locator("#id_email").fill(customer.email)
    page.locator(".booking-time").first.click()
    expect(page.get_by_role("heading", name="Or let the customer finish it")).to_be_visible()


def send_a_link(page: Page, customer: Person) -> None:
    """Hold a time and send the link to it. The calendar then shows the time with its panel."""
    hold_for_caller(page, customer)
    page.get_by_role("button", name="Send a link").click()
    expect(page.get_by_role("button", name="Finish it here")).to_be_visible()


def link_page(site: Stack, customer: Person) -> str:
    """The address in the mail with the link."""
    mail = mail_about(site, customer.email, "Finish your booking")
    return next(link for link in mail.links if "/h/" in link)


@scene
def desk_book_link(stage: Stage) -> None:
    sign_in(stage.page, FRONT_DESK)
    hold_for_caller(stage.page, somebody(LONG_NAME))


@scene
def desk_link_waits(stage: Stage) -> None:
    sign_in(stage.page, FRONT_DESK)
    send_a_link(stage.page, somebody("Sofia Kaya"))


@scene
def desk_link_unused(stage: Stage) -> None:
    sofia = somebody("Sofia Kaya")
    sign_in(stage.page, FRONT_DESK)
    send_a_link(stage.page, sofia)
    let_link_run_out(stage.site, sofia)
    stage.page.goto("/desk/hands/")
    expect(stage.page.get_by_text("Booking not finished").first).to_be_visible()


def let_link_run_out(site: Stack, customer: Person) -> None:
    """Let the time of a link be over, as if its hours had passed, and wait until the sweep has freed it."""
    run_out(site, link_page(site, customer).rstrip("/").rpartition("/")[2])
    freed = "select 1 from bookings_booking where contact_email = %s and status = 'expired'"
    site.wait_until(lambda: site.query(freed, customer.email), what="the time is free again")


@scene
def details_by_link(stage: Stage) -> None:
    """What a customer sees who opens the link."""
    sofia = somebody("Sofia Kaya")
    desk = stage.visit("desktop")
    sign_in(desk, FRONT_DESK)
    send_a_link(desk, sofia)
    stage.page.goto(link_page(stage.site, sofia))
    expect(stage.page.get_by_text("holds this time for you until")).to_be_visible()
