"""RSGI entry point, which the Procfile starts."""

from django.conf import settings

from accounts.sessions import may_open_admin
from config.wsgi import application as wsgi_application
from core.front import Front

application = Front(
    wsgi_application,
    threads=settings.WEB_THREADS,
    waiting_paths=settings.STRIPE_PATHS,
    trusted_proxies=settings.TRUSTED_PROXY_COUNT,
    reads_per_minute=settings.READS_PER_MINUTE,
    body_limits=settings.BODY_LIMITS,
    may_send_more=may_open_admin,
)
