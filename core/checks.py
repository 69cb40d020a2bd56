"""System checks: settings that would lose data or weaken security stop the start with one clear line."""

import contextlib
import importlib
import os
from collections.abc import Sequence
from typing import Any

from celery import current_app
from cryptography.fernet import Fernet
from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.module_loading import import_string

TEST_SETTINGS = "config.settings_test"
LIVE_STRIPE_KEYS = ("sk_live_", "rk_live_")
TEST_STRIPE_KEYS = ("sk_test_", "rk_test_")


def check_time_zone(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.TIME_ZONE == "UTC" and settings.USE_TZ:
        return []
    hint = "Each location has a time zone of its own; everything else is computed in UTC."
    return [Error("TIME_ZONE must be UTC and USE_TZ on.", hint=hint, id="core.E001")]


def check_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.FIELD_KEYS or not all(map(_is_fernet_key, settings.FIELD_KEYS)):
        hint = (
            'Make one with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        )
        found.append(
            Error("FIELD_KEYS needs at least one key, and each must be a Fernet key.", hint=hint, id="core.E002")
        )
    keys = [settings.SECRET_KEY, settings.LINK_KEY, *settings.FIELD_KEYS]
    if len(set(keys)) < len(keys):
        hint = "One that leaks or is replaced must not take the others with it."
        found.append(Error("SECRET_KEY, LINK_KEY and FIELD_KEYS must all differ.", hint=hint, id="core.E003"))
    return found


def check_public_site(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG and settings.SITE_URL.startswith("https:"):
        hint = "Debug pages show settings and data to everyone."
        return [Error("DEBUG must be off for a site with an https address.", hint=hint, id="core.E004")]
    return []


def check_crash_points(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if getattr(settings, "ALLOW_CRASH_POINTS", False) and os.environ.get("DJANGO_SETTINGS_MODULE") != TEST_SETTINGS:
        hint = "With it, an environment variable could kill every process."
        return [Error(f"ALLOW_CRASH_POINTS belongs in {TEST_SETTINGS} only.", hint=hint, id="core.E005")]
    return []


def check_named_code(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that every dotted path in settings can be imported; otherwise effects and messages would wait for ever."""
    routes = [item for topic in settings.OUTBOX_ROUTES.values() for item in topic.items()]
    paths = [path for _, path in routes] + [*settings.NOTIFICATION_CONTEXTS.values(), *settings.DOCTOR_CHECKS]
    found: list[CheckMessage] = [
        Error(f"Settings name {path}, which cannot be imported: {problem}", id="core.E006")
        for path in paths
        if (problem := _import_problem(path))
    ]
    names = [name for name, _ in routes]
    found += [
        Error(
            f"Two topics of OUTBOX_ROUTES have a route called {name}.",
            hint="A key counts once per route, so messages of the one would swallow those of the other.",
            id="core.E007",
        )
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    return found


def check_schedule(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    names = [str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    for name in names:
        # A task is known once its module is imported; the worker imports them all.
        with contextlib.suppress(ImportError):
            importlib.import_module(name.rpartition(".")[0])
    return [
        Error(f"CELERY_BEAT_SCHEDULE runs {name}, which does not exist.", id="core.E008")
        for name in names
        if name not in current_app.tasks
    ]


def check_append_only(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    columns = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields} for model in apps.get_models()
    }
    return [
        Error(
            f"APPEND_ONLY_TABLES names {table} ({', '.join(named) or 'no columns'}), which no model has.",
            id="core.E009",
        )
        for table, named in settings.APPEND_ONLY_TABLES.items()
        if table not in columns or not set(named) <= columns[table]
    ]


def check_exposed_keys(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that a live Stripe key is sent over https only, and warn if a public site has a test key."""
    found: list[CheckMessage] = []
    key = settings.STRIPE_SECRET_KEY
    is_public = settings.SITE_URL.startswith("https:")
    if key.startswith(LIVE_STRIPE_KEYS) and not settings.STRIPE_API_BASE.startswith("https:"):
        hint = "The live secret key would travel in clear. Leave STRIPE_API_BASE out."
        found.append(Error("STRIPE_API_BASE must be an https address with a live key.", hint=hint, id="core.E010"))
    if is_public and key.startswith(TEST_STRIPE_KEYS):
        hint = "With a test key no money moves. Right for a rehearsal, wrong for customers."
        found.append(Caution("STRIPE_SECRET_KEY is a test key on an https site.", hint=hint, id="core.W001"))
    return found


def check_hosts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    if settings.SITE_URL.startswith("https:") and "*" in settings.ALLOWED_HOSTS:
        hint = "Any host name would be believed. Name the host of SITE_URL."
        return [Error("ALLOWED_HOSTS must not contain * on an https site.", hint=hint, id="core.E011")]
    return []


ALL = (
    check_time_zone,
    check_keys,
    check_public_site,
    check_crash_points,
    check_named_code,
    check_schedule,
    check_append_only,
    check_exposed_keys,
    check_hosts,
)


def assert_read_committed(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Check the isolation level of each new database connection.

    The code locks rows and then reads facts, which needs READ COMMITTED. With an older snapshot two bookings could both
    see the same time as free.

    :raises ImproperlyConfigured: if transactions of this connection would run at another level.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW transaction_isolation")
        (level,) = cursor.fetchone()
    if level != "read committed":
        raise ImproperlyConfigured(f"The database must run transactions at READ COMMITTED, not {level.upper()}.")


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


def _import_problem(path: str) -> str:
    try:
        import_string(path)
    except ImportError as error:
        return str(error)
    return ""
