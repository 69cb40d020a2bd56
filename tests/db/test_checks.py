"""System checks: each dangerous combination of settings is found, and the real settings have none."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from core import checks
from devservers import application
from tests import servers

ROOT = Path(__file__).parents[2]
KEY = application.new_key()


def found() -> list[str | None]:
    return [message.id for check in checks.ALL for message in check(None)]


def test_the_real_settings_are_fine() -> None:
    assert [message for message in run_checks() if message.is_serious()] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TIME_ZONE": "Europe/Berlin"}, "core.E001"),
        ({"USE_TZ": False}, "core.E001"),
        ({"FIELD_KEYS": []}, "core.E002"),
        ({"FIELD_KEYS": [KEY, "not a key"]}, "core.E002"),
        ({"FIELD_KEYS": [KEY[:-4]]}, "core.E002"),
        ({"SECRET_KEY": KEY, "LINK_KEY": KEY}, "core.E003"),
        ({"LINK_KEY": KEY, "FIELD_KEYS": [KEY]}, "core.E003"),
        ({"DEBUG": True, "SITE_URL": "https://book.example.com"}, "core.E004"),
        ({"OUTBOX_ROUTES": {"thing.done": {"one": "core.no_such.handler"}}}, "core.E006"),
        ({"NOTIFICATION_CONTEXTS": {"thing": "core.outbox.no_such_function"}}, "core.E006"),
        ({"DOCTOR_CHECKS": ["nowhere"]}, "core.E006"),
        (
            {"OUTBOX_ROUTES": {"a": {"one": "core.outbox.drain"}, "b": {"one": "core.outbox.drain"}}},
            "core.E007",
        ),
        ({"CELERY_BEAT_SCHEDULE": {"x": {"task": "core.tasks.no_such_task", "schedule": 1.0}}}, "core.E008"),
        ({"APPEND_ONLY_TABLES": {"no_such_table": []}}, "core.E009"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "STRIPE_API_BASE": "http://stripe.example"}, "core.E010"),
        ({"STRIPE_SECRET_KEY": "rk_live_1", "STRIPE_API_BASE": "http://stripe.example"}, "core.E010"),
        ({"STRIPE_SECRET_KEY": "sk_test_1", "SITE_URL": "https://book.example.com"}, "core.W001"),
        ({"ALLOWED_HOSTS": ["*"], "SITE_URL": "https://book.example.com"}, "core.E011"),
        ({"APPEND_ONLY_TABLES": {"accounts_consent": ["no_such_column"]}}, "core.E009"),
    ],
)
def test_dangerous_combination_is_found(changes: dict[str, Any], code: str, settings: Settings) -> None:
    before = found()
    for name, value in changes.items():
        setattr(settings, name, value)

    assert sorted(filter(None, found())) == sorted(filter(None, [*before, code]))


def test_crash_points_are_refused_outside_the_test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "config.settings")

    assert [message.id for message in checks.check_crash_points(None)] == ["core.E005"]


def test_debug_without_https_is_for_developing(settings: Settings) -> None:
    settings.DEBUG = True
    settings.SITE_URL = "http://localhost:8000"

    assert checks.check_public_site(None) == []


def test_settings_of_a_running_site_refuse_crash_points() -> None:
    code = (
        "import django; from django.conf import settings; django.setup();"
        "from core import checks; print(getattr(settings, 'ALLOW_CRASH_POINTS', False));"
        "settings.ALLOW_CRASH_POINTS = True; print([m.id for m in checks.check_crash_points(None)])"
    )

    result = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **servers.application_environment(),
            "DATABASE_URL": "postgresql://127.0.0.1/none",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stdout, result.stderr) == ("False\n['core.E005']\n", "")


PRODUCTION = {"SITE_URL": "https://book.example.com", "DATABASE_URL": "postgresql://127.0.0.1/none"}


def started(**env: str) -> "subprocess.CompletedProcess[str]":
    """Load the application as the web process does."""
    return subprocess.run(
        [sys.executable, "-c", "import config.front"],
        env={**servers.application_environment(), "DJANGO_SETTINGS_MODULE": "config.settings", **PRODUCTION, **env},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        ({"DEBUG": "1"}, "DEBUG must be off for a site with an https address. (core.E004)"),
        ({"FIELD_KEYS": "abc"}, "FIELD_KEYS needs at least one key"),
        ({"LINK_KEY": "k" * 40, "SECRET_KEY": "k" * 40}, "SECRET_KEY, LINK_KEY and FIELD_KEYS must all differ."),
        ({"SECRET_KEY": ""}, "Set SECRET_KEY in the environment"),
        ({"LINK_KEY": "short"}, "LINK_KEY must have at least 32 characters."),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must not contain *"),
        ({"WEB_THREADS": "many"}, "WEB_THREADS must be a whole number"),
    ],
)
def test_the_web_process_does_not_start_with_a_dangerous_setting(env: dict[str, str], problem: str) -> None:
    result = started(**env)

    assert result.returncode == 1
    [line] = result.stderr.strip().splitlines()
    assert line.startswith("Openhours does not start: ")
    assert problem in line


def test_the_web_process_starts_with_a_word_of_caution(tmp_path: Path) -> None:
    result = started(STRIPE_SECRET_KEY="sk_test_1")

    assert result.returncode == 0, result.stderr
    assert "STRIPE_SECRET_KEY is a test key on an https site. (core.W001)" in result.stderr


def test_the_deployment_checks_of_django_find_nothing() -> None:
    keys = {name: "aB3-dE6_" * 8 + name for name in ("SECRET_KEY", "LINK_KEY")}
    result = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**servers.application_environment(), "DJANGO_SETTINGS_MODULE": "config.settings", **PRODUCTION, **keys},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (0, "System check identified no issues (2 silenced).\n"), result.stderr


@pytest.mark.django_db(transaction=True)
class TestIsolation:
    @pytest.mark.parametrize("level", ["repeatable read", "serializable"])
    def test_other_levels_are_refused_when_the_connection_is_made(self, level: str) -> None:
        connection.close()
        options = connection.settings_dict["OPTIONS"]
        connection.settings_dict["OPTIONS"] = {
            **options,
            "options": f"-c default_transaction_isolation={level.replace(' ', chr(92) + ' ')}",
        }
        try:
            with pytest.raises(ImproperlyConfigured, match=f"not {level.upper()}"):
                connection.ensure_connection()
        finally:
            connection.close()
            connection.settings_dict["OPTIONS"] = options

    def test_read_committed_is_what_we_have(self) -> None:
        connection.close()
        connection.ensure_connection()

        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            assert cursor.fetchone() == ("read committed",)
