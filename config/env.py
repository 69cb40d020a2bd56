"""Strict typed readers of the environment: a wrong value stops the start with one clear line.

Each reader accepts ``NAME_FILE`` as well (the path of a file that holds the value), so that secrets can be mounted.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()
_MISSING = object()


def read_dotenv(path: Path) -> None:
    """Load ``path`` if it exists; the real environment wins."""
    if path.is_file():
        environ.Env.read_env(str(path), overwrite=False)


def _raw(name: str, default: object) -> str:
    if file_name := os.environ.get(f"{name}_FILE"):
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE points to {file_name}, which cannot be read.") from error
    value = os.environ.get(name, "")
    if value:
        return value
    if default is _MISSING:
        raise ImproperlyConfigured(f"Set {name} in the environment (see .env.example).")
    return str(default)


def text(name: str, default: object = _MISSING) -> str:
    return _raw(name, default)


def secret(name: str, *, min_length: int = 32) -> str:
    value = _raw(name, _MISSING)
    if len(value) < min_length:
        raise ImproperlyConfigured(f"{name} must have at least {min_length} characters.")
    return value


def flag(name: str, default: bool) -> bool:
    value = _raw(name, default).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int, *, low: int = 0, high: int = 10**9) -> int:
    value = _raw(name, default)
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name} must be a whole number from {low} to {high}, not {value!r}.")
    return int(value)


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in _raw(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, object]:
    """Read a PostgreSQL address.

    :raises ImproperlyConfigured: when it is missing or not PostgreSQL.
    """
    url = _raw(name, _MISSING)
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} must be a postgresql:// address.")
    config: dict[str, object] = dict(_env.db_url_config(url))
    config["ENGINE"] = "django.db.backends.postgresql"
    return config


def email(name: str, default: str) -> dict[str, object]:
    url = _raw(name, default)
    config: dict[str, object] = dict(_env.email_url_config(url))
    return config


def web_address(name: str, default: str) -> str:
    value = _raw(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
        raise ImproperlyConfigured(f"{name} must look like https://book.example.com, not {value!r}.")
    return value
