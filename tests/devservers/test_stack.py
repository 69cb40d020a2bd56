"""The whole site comes up on ports of its own, survives what tests do to it, and leaves nothing behind."""

import concurrent.futures
import contextlib
import signal
import urllib.request

import psycopg
import pytest

from devservers import process
from tests.stack import Stack


@pytest.fixture(scope="module")
def stack():
    with Stack() as stack:
        yield stack


def answers(stack):
    with urllib.request.urlopen(f"{stack.url}/health/live", timeout=10) as answer:
        return answer.status == 200


def test_stack_when_up_answers_as_the_lesser_role(stack):
    assert answers(stack)
    assert stack.env["DATABASE_URL"].startswith("postgresql://openhours_app:")
    assert stack.manage("check", "--database", "default").returncode == 0


def test_worker_when_killed_can_be_started_again(stack):
    stack.kill("worker")
    assert not stack.is_alive("worker")
    stack.stop("worker")

    stack.start("worker")

    stack.wait_until(lambda: stack.log("worker").read_text().count("ready.") >= 1, what="worker is ready")
    stack.stop_worker(signal.SIGTERM)
    stack.start("worker")


def test_tables_when_emptied_against_somebody_elses_order_are_empty_in_the_end(stack):
    with stack.connect() as somebody, concurrent.futures.ThreadPoolExecutor() as pool:
        somebody.execute("BEGIN")
        somebody.execute("LOCK TABLE core_outboxmessage IN ROW SHARE MODE")
        emptying = pool.submit(stack.empty, "payments_stripeevent", "core_outboxmessage")
        stack.wait_until(lambda: waiting_for_locks(stack), what="somebody waits")
        # Whoever waits longer is ended by PostgreSQL.
        with contextlib.suppress(psycopg.errors.DeadlockDetected):
            somebody.execute("LOCK TABLE payments_stripeevent IN ROW SHARE MODE")
        somebody.execute("ROLLBACK")

        assert emptying.result(30) is None


def waiting_for_locks(stack):
    [(number,)] = stack.query(
        "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE NOT l.granted AND a.datname = current_database()"
    )
    return number


def test_two_stacks_do_not_meet(stack):
    with Stack(programs=["web"]) as other:
        assert answers(other)
        names = [each.query("SELECT current_database()") for each in (stack, other)]
        pids = [child.pid for child in other.children.values()]

    assert names[0] != names[1]
    assert not any(process.is_running(pid) for pid in pids)


def test_stripe_when_asked_for_is_told_to_the_site_and_else_is_not(stack):
    with Stack(stripe=True, proxied={"stripe"}, programs=()) as other:
        assert other.env["STRIPE_API_BASE"] == f"http://127.0.0.1:{other.proxies['stripe'].port}"
        # The browser comes past the proxy.
        assert other.env["STRIPE_JS_URL"] == f"http://localhost:{other.stripe.port}/endive/stripe.js"
        assert other.env["STRIPE_SECRET_KEY"] == other.stripe.secret_key
        through = urllib.request.Request(
            f"{other.env['STRIPE_API_BASE']}/v1/charges",
            headers={"Authorization": f"Bearer {other.stripe.secret_key}"},
        )
        with urllib.request.urlopen(through, timeout=10) as answer:
            assert answer.status == 200
        assert [each["path"] for each in other.stripe.control.requests()] == ["/v1/charges"]
        pids = [other.stripe.edge.pid, other.stripe.upstream.pid]

    assert not any(process.is_running(pid) for pid in pids)
    assert not stack.env["STRIPE_SECRET_KEY"]
