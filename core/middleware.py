"""What every request goes through: a number for the logs, and a calm answer while the database is away."""

import logging
import uuid
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.logs import request_id

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)


def request_context(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex[:8])
        try:
            return get_response(request)
        finally:
            request_id.reset(token)

    return middleware


def database_outage(get_response: Handler) -> Handler:
    """Turn a lost or refused database connection into 503 with Retry-After, wherever it shows up."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, (OperationalError, InterfaceError)):
            logger.error("database unavailable: %s", type(exception).__name__)
            response = render(request, "503.html", status=503)
            response["Retry-After"] = "5"
            return response
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
