"""The outbox: messages are written with the change, run at least once, by one worker at a time, or given up loudly."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from core import clock, doctor, outbox, retention
from core.crash import crash_point
from core.models import OutboxMessage
from tests import outbox_handlers
from tests.factories import NOW
from tests.outbox_handlers import handled

Status = OutboxMessage.Status
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _routes(settings: Settings) -> Iterator[None]:
    settings.OUTBOX_ROUTES = outbox_handlers.ROUTES
    handled.clear()
    yield
    handled.clear()
    outbox_handlers.meanwhile = None


def only() -> OutboxMessage:
    return OutboxMessage.objects.get()


class TestRunNow:
    def test_runs_its_key_and_leaves_others(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox.publish("thing.done", "thing:2", {}, now=NOW)

        assert outbox.run_now("thing.done", "thing:1", now=NOW) == 1

        assert dict(OutboxMessage.objects.values_list("key", "status")) == {"thing:1": "done", "thing:2": "pending"}

    def test_leaves_what_a_worker_has(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox._claimed(NOW)

        assert outbox.run_now("thing.done", "thing:1", now=NOW) == 0
        assert handled == []

    def test_failure_is_left_to_a_worker(self) -> None:
        outbox.publish("thing.failed", "thing:1", {}, now=NOW)

        assert outbox.run_now("thing.failed", "thing:1", now=NOW) == 0
        assert (only().status, only().due_at) == (Status.PENDING, NOW + timedelta(seconds=5))


class TestWaitedFor:
    """Effects that a paying person waits for."""

    @pytest.fixture(autouse=True)
    def _is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbox, "WAITED_FOR", frozenset({"thing.done"}))

    def test_another_worker_takes_over_within_seconds_from_one_that_died(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox._claimed(NOW)

        assert outbox.drain(now=NOW + timedelta(seconds=9)) == 0
        assert outbox.drain(now=NOW + timedelta(seconds=10)) == 1

    def test_a_worker_that_comes_back_late_changes_nothing(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        late = outbox._claimed(NOW)
        assert late is not None
        outbox.drain(now=NOW + timedelta(seconds=10))

        assert outbox._mark(late, status=Status.PENDING) is False
        assert only().status == Status.DONE

    def test_workers_that_die_one_after_the_other_do_not_give_up_soon(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        for tries in range(6):
            assert outbox._claimed(NOW + tries * outbox.CLAIM_WAITED_FOR) is not None

        assert outbox.drain(now=NOW + 6 * outbox.CLAIM_WAITED_FOR) == 1


def test_a_worker_skips_what_another_one_has_locked() -> None:
    outbox.publish("thing.done", "thing:1", {}, now=NOW)

    with CaptureQueriesContext(connection) as queries:
        outbox._claimed(NOW)

    assert any("FOR UPDATE SKIP LOCKED" in each["sql"] for each in queries)


def test_what_a_paying_person_waits_for_is_a_topic_that_exists(settings: Settings) -> None:
    from config import settings as real

    assert set(real.OUTBOX_ROUTES) > outbox.WAITED_FOR


class TestPublish:
    def test_writes_one_row_per_route_in_one_statement(self) -> None:
        with CaptureQueriesContext(connection) as queries:
            outbox.publish("thing.told", "thing:1", {"thing_id": 1}, now=NOW)

        assert len(queries) == 1
        assert set(OutboxMessage.objects.values_list("route", "topic", "key", "status", "due_at")) == {
            ("test.tell-one", "thing.told", "thing:1", "pending", NOW),
            ("test.tell-other", "thing.told", "thing:1", "pending", NOW),
        }

    def test_twice_is_once(self) -> None:
        for thing_id in (1, 2):
            outbox.publish("thing.done", "thing:1", {"thing_id": thing_id}, now=NOW)

        assert only().payload == {"thing_id": 1}

    def test_nobody_listening_is_fine(self) -> None:
        outbox.publish("thing.unheard", "thing:1", {}, now=NOW)

        assert not OutboxMessage.objects.exists()

    def test_unknown_topic_is_a_mistake(self) -> None:
        with pytest.raises(LookupError, match=r"thing\.dnoe"):
            outbox.publish("thing.dnoe", "thing:1", {}, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_is_refused_outside_a_transaction(self) -> None:
        with pytest.raises(TransactionManagementError):
            outbox.publish("thing.done", "thing:1", {}, now=NOW)

        assert not OutboxMessage.objects.exists()

    @pytest.mark.django_db(transaction=True)
    def test_goes_with_the_transaction_that_is_rolled_back(self) -> None:
        with pytest.raises(RuntimeError), transaction.atomic():
            outbox.publish("thing.done", "thing:1", {}, now=NOW)
            raise RuntimeError

        assert not OutboxMessage.objects.exists()


class TestDrain:
    def test_runs_what_is_due_with_its_id_key_and_payload(self) -> None:
        outbox.publish("thing.done", "thing:1", {"thing_id": 1}, now=NOW)

        assert outbox.drain(now=NOW) == 1

        message = only()
        (_, delivery), *more = handled
        assert (delivery.id, delivery.topic, delivery.key, delivery.payload, delivery.attempts, more) == (
            message.pk,
            "thing.done",
            "thing:1",
            {"thing_id": 1},
            1,
            [],
        )
        assert (message.status, message.attempts) == (Status.DONE, 1)
        assert message.done_at is not None

    def test_done_is_not_run_again_and_not_published_again(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox.drain(now=NOW)
        outbox.publish("thing.done", "thing:1", {}, now=NOW)

        assert outbox.drain(now=NOW + timedelta(days=1)) == 0
        assert len(handled) == 1

    def test_leaves_what_is_not_due(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW + timedelta(seconds=60))

        assert outbox.drain(now=NOW) == 0
        assert only().status == Status.PENDING

    def test_stops_at_the_limit(self) -> None:
        for number in range(3):
            outbox.publish("thing.done", f"thing:{number}", {}, now=NOW)

        assert outbox.drain(now=NOW, limit=2) == 2
        assert [delivery.key for _, delivery in handled] == ["thing:0", "thing:1"]

    @pytest.mark.parametrize("topic", ["thing.failed", "thing.gone"])
    def test_failure_is_tried_again_later(self, topic: str) -> None:
        outbox.publish(topic, "thing:1", {}, now=NOW)

        assert outbox.drain(now=NOW) == 0

        message = only()
        assert (message.status, message.attempts, message.claim_id) == (Status.PENDING, 1, None)
        assert timedelta(seconds=5) <= message.due_at - NOW < timedelta(seconds=6)
        assert message.error

    def test_failure_of_one_holds_up_no_other(self) -> None:
        outbox.publish("thing.failed", "thing:1", {}, now=NOW)
        outbox.publish("thing.done", "thing:1", {}, now=NOW)

        assert outbox.drain(now=NOW) == 1

    def test_route_that_left_the_settings_waits_for_newer_code(self, settings: Settings) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        settings.OUTBOX_ROUTES = {}

        outbox.drain(now=NOW)

        assert only().status == Status.PENDING
        assert "no route" in only().error

    def test_secrets_in_an_error_are_masked(self) -> None:
        outbox.publish("thing.failed", "thing:1", {}, now=NOW)

        outbox.drain(now=NOW)

        assert only().error == "RuntimeError: the other side is away; see /b/…/"

    @pytest.mark.parametrize(
        ("attempts", "seconds"), [(1, 5), (2, 10), (3, 20), (10, 2560), (11, 3600), (12, 3600), (1000, 3600)]
    )
    def test_delay_doubles_up_to_an_hour(self, attempts: int, seconds: int) -> None:
        assert outbox.retry_delay(attempts) == timedelta(seconds=seconds)

    def test_gives_up_aloud_after_the_last_try(self, caplog: pytest.LogCaptureFixture) -> None:
        outbox.publish("thing.failed", "thing:1", {}, now=NOW)
        moment = NOW
        for _ in range(outbox.MAX_ATTEMPTS + 5):
            outbox.drain(now=moment)
            moment += timedelta(hours=1, minutes=1)

        message = only()
        assert (message.status, message.attempts) == (Status.DEAD, outbox.MAX_ATTEMPTS)
        errors = [record for record in caplog.records if record.levelname == "ERROR"]
        assert [f"gave up after {outbox.MAX_ATTEMPTS} tries" in record.getMessage() for record in errors] == [True]

    def test_hopeless_gives_up_at_once(self) -> None:
        outbox.publish("thing.hopeless", "thing:1", {}, now=NOW)

        outbox.drain(now=NOW)

        assert (only().status, only().attempts, only().error) == (Status.DEAD, 1, "Permanent: there is no such thing")

    def test_handler_that_kills_its_process_each_time_is_given_up_aloud(self, caplog: pytest.LogCaptureFixture) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        for tries in range(3):
            assert outbox._claimed(NOW + tries * outbox.CLAIM) is not None  # and the process dies

        assert outbox.drain(now=NOW + 3 * outbox.CLAIM) == 0

        assert (only().status, only().error, handled) == (Status.DEAD, "Running this stopped the worker 3 times.", [])
        assert [record.levelname for record in caplog.records if "gave up" in record.getMessage()] == ["ERROR"]

    def test_try_that_came_back_forgets_those_that_did_not(self) -> None:
        outbox.publish("thing.failed", "thing:1", {}, now=NOW)
        outbox._claimed(NOW)
        outbox._claimed(NOW + outbox.CLAIM)
        assert only().lost_claims == 1

        outbox.drain(now=NOW + 2 * outbox.CLAIM)

        assert (only().status, only().lost_claims) == (Status.PENDING, 0)

    def test_given_up_runs_again_when_somebody_says_so(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        OutboxMessage.objects.update(status=Status.DEAD, attempts=20, lost_claims=3, error="x")

        assert [outbox.revive(only().pk, now=NOW) for _ in range(2)] == [True, False]

        assert outbox.drain(now=NOW) == 1
        assert (only().status, only().attempts, only().error) == (Status.DONE, 1, "")

    def test_done_is_not_revived(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox.drain(now=NOW)

        assert not outbox.revive(only().pk, now=NOW)
        assert outbox.drain(now=NOW) == 0


class TestClaims:
    def claimed_elsewhere(self) -> None:
        outbox.publish("thing.done", "thing:1", {}, now=NOW)
        outbox._claimed(NOW)

    def test_claimed_is_left_alone_for_five_minutes(self) -> None:
        self.claimed_elsewhere()

        assert outbox.drain(now=NOW + timedelta(minutes=4, seconds=59)) == 0
        assert handled == []

    def test_stuck_claim_returns_after_five_minutes(self) -> None:
        self.claimed_elsewhere()

        assert outbox.drain(now=NOW + timedelta(minutes=5)) == 1
        assert (only().status, only().attempts) == (Status.DONE, 2)

    @pytest.mark.parametrize("topic", ["thing.done", "thing.failed", "thing.hopeless"])
    def test_who_lost_the_claim_changes_nothing(self, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
        outbox.publish(topic, "thing:1", {}, now=NOW)
        stale = outbox._claimed(NOW)
        winner = outbox._claimed(NOW + timedelta(minutes=5))
        assert stale is not None
        assert winner is not None

        assert outbox._run(stale, NOW) is False

        message = only()
        assert (message.status, message.claim_id, message.error) == (Status.CLAIMED, winner.claim_id, "")

    @pytest.mark.django_db(transaction=True)
    def test_handler_runs_outside_any_transaction_after_the_claim_is_committed(self) -> None:
        seen: list[tuple[bool, str]] = []
        outbox_handlers.meanwhile = lambda _: seen.append((connection.in_atomic_block, only().status))
        with transaction.atomic():
            outbox.publish("thing.done", "thing:1", {}, now=NOW)

        outbox.drain(now=NOW)

        assert seen == [(False, "claimed")]


def test_a_task_is_dead_before_somebody_else_takes_over(settings: Settings) -> None:
    limit = settings.CELERY_TASK_TIME_LIMIT

    assert outbox.BATCH_SECONDS < limit < outbox.CLAIM.total_seconds()
    assert limit < settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    assert limit > retention.LONGEST_RUN_SECONDS * 3  # as many deletions has the longest of them


class TestCrashes:
    """A worker is killed with SIGKILL at each point; whoever comes next finishes the work."""

    CODE = """
import django; django.setup()
from django.conf import settings
from tests import outbox_handlers
settings.OUTBOX_ROUTES = outbox_handlers.ROUTES
from core import clock, outbox
outbox.drain(now=clock.now())
"""

    def drain_in_another_process(self, **env: str) -> int:
        address = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + str(connection.settings_dict["NAME"])
        return subprocess.run(
            [sys.executable, "-c", self.CODE],
            env={**os.environ, "DATABASE_URL": address, **env},
            cwd=Path(__file__).parents[2],
            timeout=60,
            check=False,
        ).returncode

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize(
        ("point", "status_after", "runs_again"),
        [
            ("outbox-after-claim", Status.CLAIMED, True),
            ("outbox-after-handler", Status.CLAIMED, True),
            ("outbox-after-mark", Status.DONE, False),
        ],
    )
    def test_nothing_is_lost(self, point: str, status_after: str, runs_again: bool) -> None:
        with transaction.atomic():
            outbox.publish("thing.done", "thing:1", {}, now=clock.now())

        assert self.drain_in_another_process(CRASH_AT=point) == -signal.SIGKILL
        assert only().status == status_after

        assert outbox.drain(now=clock.now() + timedelta(minutes=6)) == int(runs_again)
        assert only().status == Status.DONE

    @pytest.mark.django_db(transaction=True)
    def test_what_kills_every_worker_starves_nobody_and_ends(self) -> None:
        start = clock.now() - timedelta(hours=1)
        with transaction.atomic():
            outbox.publish("thing.done", "deadly", {}, now=start)
        for _ in range(outbox.LOST_CLAIMS_ALLOWED):
            assert self.drain_in_another_process(CRASH_AT="outbox-after-claim") == -signal.SIGKILL
            with transaction.atomic():
                outbox.publish("thing.done", "other", {}, now=clock.now())
            assert outbox.drain(now=clock.now()) == 1
            OutboxMessage.objects.filter(key="other").delete()
            OutboxMessage.objects.update(due_at=start)  # five minutes pass

        outbox.drain(now=clock.now())

        assert (only().key, only().status, only().attempts) == ("deadly", Status.DEAD, 4)
        assert "deadly" not in [delivery.key for _, delivery in handled]

    @pytest.mark.django_db(transaction=True)
    def test_other_settings_do_not_crash(self) -> None:
        with transaction.atomic():
            outbox.publish("thing.done", "thing:1", {}, now=clock.now())

        assert (
            self.drain_in_another_process(CRASH_AT="outbox-after-claim", DJANGO_SETTINGS_MODULE="config.settings") == 0
        )
        assert only().status == Status.DONE


def test_crash_point_without_permission_does_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOW_CRASH_POINTS = False
    monkeypatch.setenv("CRASH_AT", "here")

    crash_point("here")


class TestDoctor:
    def examined(self) -> dict[str, tuple[str, ...]]:
        return {finding.check.title: finding.violations for finding in doctor.examine(now=NOW)}

    def planted(self, **values: object) -> OutboxMessage:
        number = OutboxMessage.objects.count()
        return OutboxMessage.objects.create(
            **{"route": "r", "topic": "t", "key": f"k{number}", "due_at": NOW, **values}
        )

    @pytest.fixture(autouse=True)
    def _core_only(self, settings: Settings) -> None:
        settings.DOCTOR_CHECKS = ["core.doctor.CHECKS"]

    def test_finds_exactly_what_is_wrong(self) -> None:
        old = NOW - timedelta(minutes=6)
        stuck = self.planted(status=Status.CLAIMED, claimed_at=old)
        overdue = self.planted(status=Status.PENDING, due_at=NOW - timedelta(minutes=11))
        dead = self.planted(status=Status.DEAD, error="boom", attempts=20)
        self.planted(status=Status.CLAIMED, claimed_at=NOW - timedelta(minutes=5))
        self.planted(status=Status.PENDING, due_at=NOW - timedelta(minutes=9))
        self.planted(status=Status.DONE, due_at=old, claimed_at=old)

        found = list(self.examined().values())[1:]

        assert [[violation.split()[2] for violation in violations] for violations in found] == [
            [str(stuck.pk)],
            [str(overdue.pk)],
            [str(dead.pk)],
        ]

    def test_finds_history_that_can_be_rewritten(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("GRANT DELETE ON bookings_bookingevent TO openhours_app")

        (violation,) = self.examined()["The application cannot rewrite history"]

        assert violation == "openhours_app may rewrite bookings_bookingevent; run manage.py grants"

    def test_command_is_content_with_good_data(self) -> None:
        out = StringIO()

        call_command("doctor", stdout=out)

        assert out.getvalue().endswith("All 4 checks are fine.\n")

    @pytest.mark.parametrize("as_json", [False, True])
    def test_command_fails_on_violations(self, as_json: bool) -> None:
        self.planted(status=Status.DEAD, error="boom")
        out = StringIO()

        with pytest.raises(CommandError, match="1 of 4 checks") as caught:
            call_command("doctor", stdout=out, json=as_json)

        assert caught.value.returncode == 1
        assert "gave up after" in out.getvalue()
