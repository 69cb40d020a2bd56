"""Strict typed readers of environment variables: a wrong value raises ImproperlyConfigured with one clear line.

Each reader also accepts ``NAME_FILE``, the path of a file with the value, so that secrets can be mounted.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

_env = environ.Env()
_MISSING = object()


def read_dotenv(path: Path) -> None:
    """Load ``path`` if it exists. Variables that are set already keep their values."""
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


def number_or_none(name: str, default: int, *, low: int = 0, high: int = 10**9) -> int | None:
    """Read a number; the word ``none`` gives None."""
    return None if _raw(name, default).lower() == "none" else number(name, default, low=low, high=high)


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in _raw(name, default).split(",") if word.strip()]


def database(name: str) -> dict[str, object]:
    """Read a PostgreSQL URL as a value of DATABASES.

    :raises ImproperlyConfigured: if it is missing or not a PostgreSQL URL.
    """
    url = _raw(name, _MISSING)
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} must be a postgresql:// address.")
    config: dict[str, object] = dict(_env.db_url_config(url))
    config["ENGINE"] = "core.database"
    return config


@dataclass(frozen=True)
class _MailProvider:
    """The names that django-anymail uses for one mail provider.

    ``reader`` is the prefix of its webhook view. ``user``, ``password`` and ``host`` are the settings that get these
    parts of the URL. ``signing_key`` is the setting for the key of signed webhooks; empty if it does not sign them.
    """

    reader: str
    user: str
    password: str = ""
    host: str = ""
    signing_key: str = ""


_MAIL_PROVIDERS = {
    "brevo": _MailProvider("Brevo", "BREVO_API_KEY"),
    "mailersend": _MailProvider("MailerSend", "MAILERSEND_API_TOKEN", signing_key="MAILERSEND_SIGNING_SECRET"),
    "mailgun": _MailProvider(
        "Mailgun", "MAILGUN_API_KEY", host="MAILGUN_SENDER_DOMAIN", signing_key="MAILGUN_WEBHOOK_SIGNING_KEY"
    ),
    "mailjet": _MailProvider("Mailjet", "MAILJET_API_KEY", password="MAILJET_SECRET_KEY"),  # noqa: S106 (a name)
    "postmark": _MailProvider("Postmark", "POSTMARK_SERVER_TOKEN"),
    "resend": _MailProvider("Resend", "RESEND_API_KEY"),
    "sparkpost": _MailProvider("SparkPost", "SPARKPOST_API_KEY"),
}
_ANYMAIL = "anymail+"
# The user name, next to the secret, in the HTTP Basic authentication of a provider's webhooks.
_REPORTS_USER = "openhours"


def email(name: str, default: str, *, timeout: int, events_secret: str) -> dict[str, object]:
    """Read the e-mail settings from a URL: an SMTP server, or a provider's API as in ``anymail+postmark://token@``.

    ``timeout`` is in seconds. ``events_secret`` authenticates the provider's webhooks.

    :raises ImproperlyConfigured: if the provider is unknown or its key is missing.
    """
    url = _raw(name, default)
    if url.startswith(_ANYMAIL):
        return _mail_provider(name, url.removeprefix(_ANYMAIL), timeout, events_secret)
    config: dict[str, object] = dict(_env.email_url_config(url))
    return {**config, "ANYMAIL": {}, "MAIL_EVENTS_WEBHOOK": ""}


def _mail_provider(name: str, url: str, timeout: int, events_secret: str) -> dict[str, object]:
    parts = urlsplit(url)
    provider = _MAIL_PROVIDERS.get(parts.scheme)
    if provider is None:
        known = ", ".join(f"{_ANYMAIL}{each}" for each in sorted(_MAIL_PROVIDERS))
        raise ImproperlyConfigured(f"{name} names no mail provider that is known here. Known are {known}.")
    values = {
        provider.user: unquote(parts.username or ""),
        provider.password: unquote(parts.password or ""),
        provider.host: parts.hostname or "",
    }
    keys: dict[str, object] = {key: value for key, value in values.items() if key}
    if not all(keys.values()):
        raise ImproperlyConfigured(f"{name} must look like {_ANYMAIL}{parts.scheme}://key@ (see .env.example).")
    if events_secret and provider.signing_key:
        keys[provider.signing_key] = events_secret
    elif events_secret:
        keys["WEBHOOK_SECRET"] = f"{_REPORTS_USER}:{events_secret}"
    return {
        "EMAIL_BACKEND": f"anymail.backends.{parts.scheme}.EmailBackend",
        "ANYMAIL": {**keys, "REQUESTS_TIMEOUT": timeout},
        "MAIL_EVENTS_WEBHOOK": f"anymail.webhooks.{parts.scheme}.{provider.reader}TrackingWebhookView",
    }


def web_address(name: str, default: str) -> str:
    value = _raw(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
        raise ImproperlyConfigured(f"{name} must look like https://book.example.com, not {value!r}.")
    return value
