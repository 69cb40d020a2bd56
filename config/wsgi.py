"""WSGI application. It starts only when the system checks find no error."""

import logging
import os
import sys

import django
from django.core.checks import ERROR, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

logger = logging.getLogger(__name__)


def checked_application() -> WSGIHandler:
    """Return the application. Ends the process with one line if a setting is missing or a system check fails."""
    try:
        django.setup(set_prefix=False)
        found = run_checks(include_deployment_checks=False)
    except ImproperlyConfigured as problem:
        sys.exit(f"Openhours does not start: {problem}")
    errors = [f"{message.msg} ({message.id})" for message in found if message.is_serious(ERROR)]
    if errors:
        sys.exit(f"Openhours does not start: {' '.join(errors)}")
    for message in found:
        logger.warning("%s (%s)", message.msg, message.id)
    return get_wsgi_application()


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = checked_application()
