"""The test run brings its own PostgreSQL: started once by the first process, shared by all, gone at the end.

TEST_DATABASE_URL (a role that may create databases and has the extensions) uses an existing server instead.
The environment has to be complete before Django reads its settings, so it is set while this file is imported.
"""

import logging
import os
from collections.abc import Iterator
from typing import Any

import django
import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from devservers import stripe as stand_in
from devservers.stripe import Stripe
from tests import servers

servers.prepare_environment()
# A random find must not fail a change that has nothing to do with it: the tests of every change try the same examples
# each time, and what was found once stands beside its test as an explicit one. `make load` searches at random.
hypothesis.settings.register_profile("every-change", derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("search", derandomize=False, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "every-change"))
# pytest-django looks for its settings before this file is read, so the apps are loaded here.
django.setup()

_skipped: list[str] = []


class ByFile(LoadFileScheduling):
    """The tests of a file run in one process, and so do all journeys: the site that they share is slow to start.

    The pages that are looked at one by one take about as long as all journeys together, so they run beside them.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/e2e/") and not nodeid.startswith("tests/e2e/test_every_page.py"):
            return "tests/e2e"
        return super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def stripe_server() -> Iterator[Stripe]:
    """One stand-in for Stripe for all tests of a process. It tells nobody anything by itself."""
    folder = servers.new_folder("stripe")
    server = stand_in.start(folder, "http://localhost:8000")
    server.control.set_webhook("")
    yield server
    server.stop()


@pytest.fixture
def stripe(stripe_server: Stripe, settings: Any) -> Stripe:
    """The stand-in, empty, and settings that lead to it."""
    from payments.stripe import client

    stripe_server.control.reset()
    stripe_server.control.set_webhook("")
    client.breaker.reset()
    values = stripe_server.environment()
    settings.STRIPE_WEBHOOK_SECRETS = [values.pop("STRIPE_WEBHOOK_SECRET")]
    for name, value in values.items():
        setattr(settings, name, value)
    return stripe_server


@pytest.fixture
def payments_alone(settings: Any) -> None:
    """Nobody but payments hears of money, so that it needs no booking; what others would hear is published all the
    same.
    """
    own = {
        topic: {name: path for name, path in routes.items() if path.startswith("payments.")}
        for topic, routes in settings.OUTBOX_ROUTES.items()
    }
    settings.OUTBOX_ROUTES = {
        topic: routes or {f"heard-{topic}": "tests.outbox_handlers.heard"} for topic, routes in own.items()
    }


def pytest_unconfigure(config: pytest.Config) -> None:
    servers.stop()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _skipped.append(report.nodeid)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that did not run has proved nothing, so a skip fails the run."""
    # Its thread goes on when the streams that pytest caught are closed.
    logging.getLogger("core.nudge").disabled = True
    if _skipped and session.exitstatus == pytest.ExitCode.OK and "PYTEST_XDIST_WORKER" not in os.environ:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        names = ", ".join(sorted(set(_skipped)))
        terminalreporter.write_line(f"Skipped, which counts as failed here: {names}", red=True)
