"""The test run brings its own PostgreSQL: started once by the first process, shared by all, gone at the end.

TEST_DATABASE_URL (a role that may create databases and has the extensions) uses an existing server instead.
The environment has to be complete before Django reads its settings, so it is set while this file is imported.
"""

import os

import django
import pytest

from tests import servers

servers.prepare_environment()
# pytest-django looks for its settings before this file is read, so the apps are loaded here.
django.setup()

_skipped: list[str] = []


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
    if _skipped and session.exitstatus == pytest.ExitCode.OK and "PYTEST_XDIST_WORKER" not in os.environ:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped:
        names = ", ".join(sorted(set(_skipped)))
        terminalreporter.write_line(f"Skipped, which counts as failed here: {names}", red=True)
