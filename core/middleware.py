"""Middleware: request id, NUL characters, compression, and error pages for locked rows and database outages."""

import gzip
import logging
import secrets
import uuid
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from core.errors import Locked
from core.logs import REQUEST_ID, request_id

SMALLEST_COMPRESSED = 1000
# The fastest level of gzip.
COMPRESSION = 1
LONGEST_PADDING = 100

Handler = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)


def request_context(get_response: Handler) -> Handler:
    def middleware(request: HttpRequest) -> HttpResponse:
        # Not reset afterwards, because Django logs a 404 after all middleware. The next request sets its own id.
        request_id.set(request.META.get(REQUEST_ID) or uuid.uuid4().hex[:8])
        return get_response(request)

    return middleware


def refuse_nul(get_response: Handler) -> Handler:
    """Answer 400 to a NUL character in the address: PostgreSQL cannot store it, and no link of this site has one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\0" in request.path or "\0" in query or "%00" in query:
            return render(request, "400.html", {"error_reference": request_id.get()}, status=400)
        return get_response(request)

    return middleware


def compress_pages(get_response: Handler) -> Handler:
    """Compress HTML pages with gzip.

    Against BREACH, the middleware adds a random number of bytes, and each answer masks the CSRF token anew, so that the
    length of an answer does not reveal a secret in it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        if not is_page or len(response.content) < SMALLEST_COMPRESSED or response.has_header("Content-Encoding"):
            return response
        patch_vary_headers(response, ("Accept-Encoding",))
        if "gzip" not in request.META.get("HTTP_ACCEPT_ENCODING", ""):
            return response
        response.content = _gzipped(response.content)
        response["Content-Encoding"] = "gzip"
        response["Content-Length"] = str(len(response.content))
        if (tag := response.get("ETag", "")).startswith('"'):
            response["ETag"] = f"W/{tag}"
        return response

    return middleware


def _gzipped(content: bytes) -> bytes:
    """Compress with gzip and add a file name of random length to the header, as Django's middleware does."""
    packed = gzip.compress(content, compresslevel=COMPRESSION, mtime=0)
    name = b"a" * secrets.randbelow(LONGEST_PADDING) + b"\0"
    # Byte 3 holds flags. FNAME (8) means that a file name follows the header of ten bytes.
    return packed[:3] + b"\x08" + packed[4:10] + name + packed[10:]


def locked_by_others(get_response: Handler) -> Handler:
    """Answer ``Locked`` from any view with 503 and Retry-After: another request works on the same rows."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Locked):
            return None
        response = render(request, "503_locked.html", status=503)
        response["Retry-After"] = "5"
        response["Cache-Control"] = "no-store"
        return response

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def database_outage(get_response: Handler) -> Handler:
    """Answer a lost or refused database connection in any view with 503 and Retry-After."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return unavailable(request, exception) if isinstance(exception, (OperationalError, InterfaceError)) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return the 503 page for a database outage and log the error."""
    logger.error("database unavailable: %s", type(error).__name__)
    response = render(request, "503.html", status=503)
    response["Retry-After"] = "5"
    return response
