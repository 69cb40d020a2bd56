"""RSGI entry point, which the Procfile starts."""

from typing import Any

from django.conf import settings

from config.wsgi import application as wsgi_application
from core import clock
from core.front import Front


def may_send_more(environ: dict[str, Any]) -> bool:
    """Return whether the request comes from a user who may upload pictures."""
    # Its models can be imported only after ``config.wsgi`` has loaded the apps.
    from accounts.sessions import may_open_admin

    return may_open_admin(environ, now=clock.now())


application = Front(
    wsgi_application,
    threads=settings.WEB_THREADS,
    waiting_paths=settings.STRIPE_PATHS,
    trusted_proxies=settings.TRUSTED_PROXY_COUNT,
    reads_per_minute=settings.READS_PER_MINUTE,
    body_limits=settings.BODY_LIMITS,
    may_send_more=may_send_more,
)
